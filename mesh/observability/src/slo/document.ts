import { budgetMinutes, type CoveredRpc, nameOf, type Objective, WINDOW_DAYS } from "./objectives.ts";
import { OUR_FAULTS } from "./rules.ts";

const MEASURED: Readonly<Record<Objective["point"], string>> = {
  server: "the workload: `orrery_rpc_server_duration_seconds`",
  edge: "the gateway: `orrery_http_duration_seconds`",
};

/** The document of all objectives, in Markdown. */
export function sloDocument(objectives: readonly Objective[], mark: string): string {
  const groups = Map.groupBy(objectives, nameOf);
  return [
    `<!-- ${mark} -->`,
    "# What the platform promises",
    introduction(),
    "## At a glance",
    table(objectives),
    "## Whom each promise covers",
    ...[...groups].map(([name, [first]]) => `### ${name}\n\n${covered(first?.rpcs ?? [])}`),
    "",
  ]
    .join("\n\n")
    .trimEnd()
    .concat("\n");
}

function introduction(): string {
  const codes = OUR_FAULTS.map((code) => `\`${code}\``).join(", ");
  return `Each RPC of the contract says in \`orrery.options.v1\` what its callers may expect; the RPCs of a workload
that need the same scope are measured together. A stream promises nothing here: how long it lasts is its caller's wish.

- **Window**: ${WINDOW_DAYS} days, rolling. **Error budget**: the part of them that may be bad. For availability it is
  given in minutes of a full outage; a tenth of the calls failing uses it up ten times more slowly.
- **Bad for availability** is a fault of ours: the codes ${codes},
  or an HTTP status from 500 on. What a caller did wrong, and what was refused for a rate or a state, is an answer.
- **Bad for latency** is a call that took longer than its bound, however it ended.
- **Measured twice**: at the server, which sees calls of the mesh as well, and at the edge, which sees a server that is
  gone. The recorded series are \`orrery:slo_errors:ratio_rate<window>\` and \`orrery:slo_budget:ratio\`.
- **Who is told**: [ErrorBudgetBurningFast](runbooks/error-budget.md) (critical) when the budget burns 14.4 times too
  fast over 1 h and 5 min, or 6 times over 6 h and 30 min; ErrorBudgetBurningSlowly (warning) for 3 times over 1 day and
  2 h, or 1 time over 3 days and 6 h. Where almost nobody calls, a few failures are a large share: look at the rate.`;
}

function table(objectives: readonly Objective[]): string {
  const rows = objectives.map((objective) => {
    const { indicator, point, share, rpcs } = objective;
    const budget =
      indicator === "availability"
        ? `${minutes(budgetMinutes(objective))} min`
        : `${percent(1 - share)} of calls`;
    return `| ${nameOf(objective)} | ${promise(objective)} | ${budget} | ${MEASURED[point]} | ${rpcs.length} |`;
  });
  return [
    "| what | objective | error budget of 30 days | measured by | RPCs |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function promise({ indicator, share, rpcs }: Objective): string {
  if (indicator === "availability") return `${percent(share)} without a fault of ours`;
  const bounds = [...new Set(rpcs.map(({ latencySeconds = 0 }) => milliseconds(latencySeconds)))];
  return `${percent(share)} within ${bounds.join(" or ")}`;
}

function covered(rpcs: readonly CoveredRpc[]): string {
  return rpcs
    .map(({ service, method, latencySeconds, route }) => {
      const at = route === undefined ? "" : `, \`${route.method} ${route.template}\``;
      const within = latencySeconds === undefined ? "no bound" : `within ${milliseconds(latencySeconds)}`;
      return `- \`${service}/${method}\`${at}: ${within}`;
    })
    .join("\n");
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(6))} %`;
const minutes = (value: number): string => String(Number(value.toPrecision(4)));
const milliseconds = (seconds: number): string => `${Math.round(seconds * 1_000)} ms`;
