/** The rules over what an RPC promises beyond its types: who may call it, for how long, and what a repeat does. */
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  MethodRules_Exposure as Exposure,
  method as methodRules,
  MethodRules_Repeat as Repeat,
  MethodRules_RetryOwner as RetryOwner,
  type Slo,
  service as serviceRules,
} from "../../gen/orrery/options/v1/options_pb.js";
import type { Contract, Rpc } from "../image/contract-image.ts";
import { type DiffRule, type Finding, optionPosition } from "./finding.ts";

type Found = Omit<Finding, "rule">;

/** From the strongest promise to the weakest. */
const REPEATS: readonly Repeat[] = [Repeat.READ, Repeat.NATURAL, Repeat.KEYED, Repeat.NEVER];

/** The RPCs that are in both, in pairs. One that is gone is buf's to find. */
export function* rpcPairs(before: Contract, after: Contract): Generator<readonly [Rpc, Rpc]> {
  const now = new Map(after.rpcs.map((rpc) => [rpc.name, rpc]));
  for (const rpc of before.rpcs) {
    const same = now.get(rpc.name);
    if (same !== undefined) yield [rpc, same];
  }
}

/** A rule over one RPC as it was and as it is. */
function rpcRule(
  name: string,
  holds: string,
  look: (was: Rpc, is: Rpc) => Iterable<{ breaks: string; instead: string }>,
): DiffRule {
  return {
    name,
    holds,
    *check(before, after): Generator<Found> {
      for (const [was, is] of rpcPairs(before, after)) {
        for (const found of look(was, is))
          yield { position: optionPosition(is.method, methodRules), ...found };
      }
    },
  };
}

const missing = (was: readonly string[], is: readonly string[]): readonly string[] =>
  was.filter((name) => !is.includes(name));

export const RPC_RULES: readonly DiffRule[] = [
  rpcRule("exposure-narrowed", "what is reached from outside stays so", function* (was, is) {
    if (was.rules.exposure !== Exposure.EDGE || is.rules.exposure === Exposure.EDGE) return;
    yield {
      breaks: `${is.name} is no longer reached from outside, by any client of the edge`,
      instead: "keep exposure: EDGE, and take it out with the next major version of the package",
    };
  }),
  rpcRule("caller-removed", "a workload that may call goes on being let in", function* (was, is) {
    for (const caller of missing(was.rules.callers, is.rules.callers)) {
      yield {
        breaks: `${caller} is refused at ${is.name}`,
        instead: `keep it among callers until no release of ${caller} calls it`,
      };
    }
  }),
  rpcRule("on-behalf-removed", "a workload that is believed goes on being believed", function* (was, is) {
    for (const caller of missing(was.rules.onBehalf, is.rules.onBehalf)) {
      yield {
        breaks: `${caller} is no longer believed about project and principal at ${is.name}`,
        instead: `keep it in on_behalf until no release of ${caller} speaks for others there`,
      };
    }
  }),
  rpcRule("scope-changed", "a key that opens an operation goes on opening it", function* (was, is) {
    if (was.rules.scope === is.rules.scope || was.rules.exposure !== Exposure.EDGE) return;
    yield {
      breaks: `keys with the scope ${was.rules.scope} are refused at ${is.name}`,
      instead: `keep the scope, or offer a new RPC with the scope ${is.rules.scope}`,
    };
  }),
  rpcRule("deadline-shortened", "a call that was in time stays in time", function* (was, is) {
    const [before, now] = [was.rules.deadline, is.rules.deadline];
    if (now === undefined || (before !== undefined && durationMs(now) >= durationMs(before))) return;
    yield {
      breaks: `callers of ${is.name} are cut off after ${durationMs(now)} ms`,
      instead: `keep ${before === undefined ? "it without an end" : `${durationMs(before)} ms`}; callers may set less`,
    };
  }),
  rpcRule("repeat-weakened", "what may be repeated may go on being repeated", function* (was, is) {
    if (REPEATS.indexOf(is.rules.repeat) <= REPEATS.indexOf(was.rules.repeat)) return;
    yield {
      breaks: `callers repeat ${is.name} as ${Repeat[was.rules.repeat]}, and it is ${Repeat[is.rules.repeat]}`,
      instead: "keep the promise, or offer a new RPC that makes a weaker one",
    };
  }),
  rpcRule(
    "retry-owner-removed",
    "a call that is repeated for its caller goes on being so",
    function* (was, is) {
      if (was.rules.retry !== RetryOwner.HOP || is.rules.retry === RetryOwner.HOP) return;
      yield {
        breaks: `callers of ${is.name} see failures that the hop repeated for them`,
        instead: "keep retry: HOP until every caller repeats by itself",
      };
    },
  ),
  rpcRule("slo-loosened", "what callers may expect does not get worse", function* (was, is) {
    const found = worse(was.rules.slo ?? was.service.slo, is.rules.slo ?? is.service.slo);
    if (found === undefined) return;
    yield {
      breaks: `callers of ${is.name} may expect less: ${found}`,
      instead: "keep the objective; to give it up is a decision, with a release of its own",
    };
  }),
  {
    name: "service-moved",
    holds: "a service is found where it was",
    *check(before, after): Generator<Found> {
      for (const was of before.rpcs) {
        const is = after.rpcs.find(({ name }) => name === was.name);
        if (is === undefined || is.method !== is.method.parent.methods[0]) continue;
        if (was.service.workload === is.service.workload) continue;
        yield {
          position: optionPosition(is.method.parent, serviceRules),
          breaks: `callers look for ${is.method.parent.typeName} at ${was.service.workload}, with its identity`,
          instead: `serve it from ${was.service.workload} too, until every caller looks at ${is.service.workload}`,
        };
      }
    },
  },
];

function worse(was: Slo | undefined, is: Slo | undefined): string | undefined {
  if (was === undefined) return undefined;
  if (is === undefined) return "nothing is promised any more";
  if (is.availability < was.availability)
    return `availability ${is.availability} instead of ${was.availability}`;
  if (was.latency === undefined) return undefined;
  if (is.latency === undefined) return "no latency is promised any more";
  const [before, now] = [durationMs(was.latency), durationMs(is.latency)];
  if (now > before) return `latency ${now} ms instead of ${before} ms`;
  return is.latencyShare < was.latencyShare
    ? `a share of ${is.latencyShare} instead of ${was.latencyShare}`
    : undefined;
}
