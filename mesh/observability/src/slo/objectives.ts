import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Slo } from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { type Contract, isExposed, patternOf, type Rpc } from "@orrery/contracts/image/contract-image";
import { DURATION_BUCKETS } from "../../../chassis/src/telemetry/metrics.ts";

/** One RPC that an objective covers. */
export interface CoveredRpc {
  /** `orrery.jobs.v1.JobsService` */
  readonly service: string;
  readonly method: string;
  /** The bound of its latency; undefined where none is promised. */
  readonly latencySeconds: number | undefined;
  /** Its route at the edge, where it has one. */
  readonly route: { readonly method: string; readonly template: string } | undefined;
}

/** What is measured of a group of calls. */
export type Indicator = "availability" | "latency";

/** Where it is measured: by the workload that serves the RPC, or by the gateway for those outside. */
export type Point = "server" | "edge";

/**
 * One promise that is held against measurements: the RPCs of one workload that need the same scope share it, so that
 * the number of series does not grow with the number of RPCs.
 */
export interface Objective {
  readonly workload: string;
  /** The scope that its RPCs need, or `internal`. */
  readonly group: string;
  readonly indicator: Indicator;
  readonly point: Point;
  /** The share of good calls, such as 0.999. */
  readonly share: number;
  readonly rpcs: readonly CoveredRpc[];
}

/** Days that an error budget is for. */
export const WINDOW_DAYS = 30;

const INTERNAL = "internal";
const MS_PER_SECOND = 1_000;

/**
 * The objectives of a contract, by workload and group.
 *
 * A stream has no latency of its own: its duration is how long somebody wanted it, so a promise with a latency on one
 * is refused. The edge measures availability alone, because there a request may wait on purpose (`Prefer: wait`).
 *
 * @throws Error that names the RPC whose promise cannot be measured
 */
export function objectivesOf(contract: Contract): readonly Objective[] {
  const groups = Map.groupBy(
    contract.rpcs.filter(isPromised),
    (rpc) => `${rpc.service.workload}/${groupOf(rpc)}`,
  );
  return [...groups.values()]
    .flatMap(objectivesOfGroup)
    .sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
}

/** What an objective is called in labels and documents, such as `jobs/submit`. */
export function nameOf({ workload, group }: Pick<Objective, "workload" | "group">): string {
  return `${workload}/${group}`;
}

/** Minutes of a window that may be bad. */
export function budgetMinutes({ share }: Pick<Objective, "share">): number {
  return (1 - share) * WINDOW_DAYS * 24 * 60;
}

function objectivesOfGroup(rpcs: readonly Rpc[]): readonly Objective[] {
  const [first] = rpcs;
  if (first === undefined) return [];
  const common = { workload: first.service.workload, group: groupOf(first) };
  const covered = rpcs.map(coveredBy);
  const routed = covered.filter(({ route }) => route !== undefined);
  const timed = covered.filter(({ latencySeconds }) => latencySeconds !== undefined);
  const availability = onlyOne(rpcs, "availability", ({ availability: share }) => share);
  const timedRpcs = rpcs.filter((rpc) => promiseOf(rpc)?.latency !== undefined);
  const objectives: Objective[] = [
    { ...common, indicator: "availability", point: "server", share: availability, rpcs: covered },
  ];
  if (routed.length > 0) {
    objectives.push({
      ...common,
      indicator: "availability",
      point: "edge",
      share: availability,
      rpcs: routed,
    });
  }
  if (timed.length > 0) {
    const share = onlyOne(timedRpcs, "latency_share", ({ latencyShare }) => latencyShare);
    objectives.push({ ...common, indicator: "latency", point: "server", share, rpcs: timed });
  }
  return objectives;
}

function promiseOf({ rules, service }: Rpc): Slo | undefined {
  return rules.slo ?? service.slo;
}

function isPromised(rpc: Rpc): boolean {
  return (promiseOf(rpc)?.availability ?? 0) > 0;
}

function groupOf(rpc: Rpc): string {
  return isExposed(rpc) ? rpc.rules.scope : INTERNAL;
}

function coveredBy(rpc: Rpc): CoveredRpc {
  const latency = promiseOf(rpc)?.latency;
  const latencySeconds = latency === undefined ? undefined : durationMs(latency) / MS_PER_SECOND;
  if (latencySeconds !== undefined) requireMeasurable(rpc, latencySeconds);
  const { typeName } = rpc.method.parent;
  const route = rpc.http === undefined ? undefined : patternOf(rpc.http);
  return { service: typeName, method: rpc.method.name, latencySeconds, route };
}

function requireMeasurable(rpc: Rpc, latencySeconds: number): void {
  if (rpc.method.methodKind !== "unary") {
    throw new Error(`${rpc.name}: a stream promises no latency; give it an slo of its own, or slo: {}`);
  }
  if (DURATION_BUCKETS.some((bound) => bound === latencySeconds)) return;
  const bounds = DURATION_BUCKETS.join(", ");
  throw new Error(`${rpc.name}: a latency of ${latencySeconds} s is no bound of the histogram: ${bounds}`);
}

/** The one value that the RPCs of a group promise. */
function onlyOne(rpcs: readonly Rpc[], field: string, read: (slo: Slo) => number): number {
  const values = new Map<number, Rpc>();
  for (const rpc of rpcs) {
    const promise = promiseOf(rpc);
    if (promise !== undefined) values.set(read(promise), rpc);
  }
  const [[value, rpc] = [0, undefined], another] = [...values];
  if (another !== undefined) {
    throw new Error(
      `${another[1].name}: its ${field} differs from that of ${rpc?.name}, which has the same scope`,
    );
  }
  if (value <= 0 || value >= 1) throw new Error(`${rpc?.name}: ${field} has to lie between 0 and 1`);
  return value;
}
