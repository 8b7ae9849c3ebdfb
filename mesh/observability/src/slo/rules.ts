import { METRIC } from "../../../chassis/src/telemetry/attributes.ts";
import { type CoveredRpc, nameOf, type Objective } from "./objectives.ts";

/** One rule that records a series. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One rule that raises an alert. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Rules that are evaluated one after the other. */
export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly (RecordingRule | AlertRule)[];
}

/**
 * The gRPC codes that are faults of ours. All others are answers to what a caller did, `UNIMPLEMENTED` too: every RPC
 * of the contract is served, so whoever reads it asked for one that is not in it.
 */
export const OUR_FAULTS = ["UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"] as const;

/** HTTP statuses that are faults of ours: RFC 9110 section 15.6. */
const OUR_STATUSES = "5..";

/** How often the share within each window is worked out: the longer the window, the less it changes. */
const EVALUATED = [
  { every: "30s", windows: ["5m", "30m", "1h"] },
  { every: "1m", windows: ["2h", "6h", "1d", "3d"] },
];

/** A pair of windows, and how many times too fast the budget may burn in both before somebody is told. */
interface Burn {
  readonly factor: number;
  readonly long: string;
  readonly short: string;
}

// The Site Reliability Workbook, chapter 5, table 5-8: 2 % of the budget in an hour, 5 % in six, 10 % in a day or
// in three.
const PAGES: readonly Burn[] = [
  { factor: 14.4, long: "1h", short: "5m" },
  { factor: 6, long: "6h", short: "30m" },
];
const TICKETS: readonly Burn[] = [
  { factor: 3, long: "1d", short: "2h" },
  { factor: 1, long: "3d", short: "6h" },
];

/** The series of the share of bad calls within a window. */
export function errorsSeries(window: string): string {
  return `orrery:slo_errors:ratio_rate${window}`;
}

/** The series of the share of calls that may be bad. */
export const BUDGET_SERIES = "orrery:slo_budget:ratio";

/** The rules that measure the objectives and raise alerts about them. */
export function sloRules(objectives: readonly Objective[]): readonly RuleGroup[] {
  const budgets = objectives.map((objective) => ({
    record: BUDGET_SERIES,
    expr: `vector(${rounded(1 - objective.share)})`,
    labels: labelsOf(objective),
  }));
  return [
    { name: "slo-budgets", interval: "30s", rules: budgets },
    ...EVALUATED.map(({ every, windows }) => ({
      name: `slo-errors-every-${every}`,
      interval: every,
      rules: windows.flatMap((window) => errorRules(objectives, window)),
    })),
    { name: "slo-alerts", rules: [pageRule(), ticketRule()] },
  ];
}

function errorRules(objectives: readonly Objective[], window: string): readonly RecordingRule[] {
  return objectives.map((objective) => ({
    record: errorsSeries(window),
    expr: errorRatio(objective, window),
    labels: labelsOf(objective),
  }));
}

function labelsOf(objective: Objective): Readonly<Record<string, string>> {
  const { workload, group, indicator, point } = objective;
  return { slo: nameOf(objective), sli: indicator, at: point, service: workload, class: group };
}

/** The share of bad calls; 0 where nobody calls. Where none was ever bad its series does not exist, which is 0. */
function errorRatio(objective: Objective, window: string): string {
  const { indicator, point } = objective;
  if (point === "edge") return edgeRatio(objective, window);
  return indicator === "latency" ? latencyRatio(objective, window) : availabilityRatio(objective, window);
}

function availabilityRatio(objective: Objective, window: string): string {
  const calls = callSelector(objective.workload, objective.rpcs);
  const bad = `${calls},code=~"${OUR_FAULTS.join("|")}"`;
  const series = `${METRIC.RPC_SERVER_SECONDS}_count`;
  return `(sum(rate(${series}{${bad}}[${window}])) or vector(0))
/ ${atLeastSome(`sum(rate(${series}{${calls}}[${window}]))`)}`;
}

function latencyRatio(objective: Objective, window: string): string {
  const byBound = Map.groupBy(objective.rpcs, ({ latencySeconds = 0 }) => latencySeconds);
  const inTime = [...byBound].map(([bound, rpcs]) => {
    const calls = callSelector(objective.workload, rpcs);
    return `(sum(rate(${METRIC.RPC_SERVER_SECONDS}_bucket{${calls},le="${bound}"}[${window}])) or vector(0))`;
  });
  const calls = callSelector(objective.workload, objective.rpcs);
  const all = `sum(rate(${METRIC.RPC_SERVER_SECONDS}_count{${calls}}[${window}]))`;
  return `(${all} - ${inTime.join("\n- ")})
/ ${atLeastSome(all)}`;
}

function edgeRatio(objective: Objective, window: string): string {
  const calls = routeSelectors(objective.rpcs);
  const rate = (more: string): string =>
    calls
      .map(
        (call) => `(sum(rate(orrery_http_duration_seconds_count{${call}${more}}[${window}])) or vector(0))`,
      )
      .join("\n+ ");
  return `(${rate(`,status=~"${OUR_STATUSES}"`)})
/ ${atLeastSome(`(${rate("")})`)}`;
}

/** The calls of some RPCs of one workload. The methods of two services have names of their own, or mean both. */
function callSelector(workload: string, rpcs: readonly CoveredRpc[]): string {
  const services = [...new Set(rpcs.map(({ service }) => service))].sort();
  const methods = [...new Set(rpcs.map(({ method }) => method))].sort();
  return `service="${workload}",rpc_service=~"${services.join("|")}",method=~"${methods.join("|")}"`;
}

/** One selector for each HTTP method, so that a POST is not taken for the GET of the same route. */
function routeSelectors(rpcs: readonly CoveredRpc[]): readonly string[] {
  const routes = rpcs.flatMap(({ route }) => (route === undefined ? [] : [route]));
  const byMethod = Map.groupBy(routes, ({ method }) => method);
  return [...byMethod.keys()].sort().map((method) => {
    const those = byMethod.get(method) ?? [];
    const patterns = [...new Set(those.map(({ template }) => anyVariable(template)))].sort();
    return `service="gateway",method="${method}",route=~"${patterns.join("|")}"`;
  });
}

/** The gateway names two templates of one shape by the first of them, so the names of variables do not count. */
function anyVariable(template: string): string {
  return template.replace(/\{[^}]*\}/g, "[{][^}]*[}]");
}

function burning(burns: readonly Burn[]): string {
  return burns
    .map(({ factor, long, short }) => {
      const over = (window: string): string => `${errorsSeries(window)} > ${factor} * ${BUDGET_SERIES}`;
      return `(\n  ${over(long)}\n  and ${over(short)}\n)`;
    })
    .join("\nor\n");
}

function pageRule(): AlertRule {
  return {
    alert: "ErrorBudgetBurningFast",
    expr: burning(PAGES),
    labels: { severity: "critical" },
    annotations: {
      summary: "{{ $labels.slo }}: the {{ $labels.sli }} promised for 30 days is used up within days",
      description:
        "{{ $value | humanizePercentage }} of the calls measured at the {{ $labels.at }} are bad: at this rate the " +
        "error budget lasts five days at most.",
      runbook: "error-budget",
    },
  };
}

function ticketRule(): AlertRule {
  return {
    alert: "ErrorBudgetBurningSlowly",
    expr: burning(TICKETS),
    labels: { severity: "warning" },
    annotations: {
      summary: "{{ $labels.slo }}: the {{ $labels.sli }} promised for 30 days will not be kept",
      description:
        "{{ $value | humanizePercentage }} of the calls measured at the {{ $labels.at }} are bad, for hours now: the " +
        "error budget is used up before its 30 days are over.",
      runbook: "error-budget",
    },
  };
}

/** A divisor that is not 0 while nobody calls: a share of nothing is 0, and a promise is then kept. */
function atLeastSome(rate: string): string {
  return `clamp_min(${rate}, 1e-9)`;
}

/** Without the noise of binary fractions: 1 - 0.999 is 0.001. */
function rounded(share: number): number {
  return Number(share.toPrecision(6));
}
