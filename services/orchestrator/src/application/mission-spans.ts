import { ATTR } from "@orrery/mesh/telemetry/attributes";
import { type ItemSpan, isTraced, openItemSpan } from "@orrery/mesh/telemetry/item-span";
import type { Mission } from "../domain/mission.ts";
import type { HeldErrand } from "./ports.ts";

/** The decisions about missions that one transaction makes, each in its mission's trace. */
export interface DecisionSpans extends Disposable {
  /** Begins one for each mission. A transaction that is tried again opens them again: the first ones failed. */
  open(missions: Iterable<Mission>): void;
  /** Ends them well: what was decided is durable. Those that are still open when this is disposed of failed. */
  committed(): void;
}

/** Shows decisions in traces; costs a look at each mission's traceparent where none is kept. */
export function decisionSpans(name: "mission.begin" | "mission.advance"): DecisionSpans {
  let spans: readonly ItemSpan[] = [];
  const end = (failed: boolean): void => {
    for (const span of spans) span.end({ failed });
    spans = [];
  };
  return {
    open: (missions) => {
      end(true);
      spans = [...missions].flatMap(({ id, project, traceparent }) => {
        if (!isTraced(traceparent)) return [];
        const attributes = { [ATTR.PROJECT]: project, [ATTR.AGGREGATE]: id };
        return openItemSpan(traceparent, name, { attributes }) ?? [];
      });
    },
    committed: () => end(false),
    [Symbol.dispose]: () => end(true),
  };
}

/** An errand while it is run, and what its job goes on from. */
export interface TracedErrand {
  readonly errand: HeldErrand;
  end(failed: boolean): void;
}

/** Begins the span of an errand; what the jobs service then does for it is a part of that. */
export function traceErrand(errand: HeldErrand): TracedErrand {
  const { kind, role, jobId, caller } = errand;
  if (!isTraced(caller.traceparent)) return { errand, end: () => undefined };
  const attributes = { [ATTR.PROJECT]: caller.project, [ATTR.AGGREGATE]: jobId };
  const what = role === "RUN" ? "step" : "undo";
  const span = openItemSpan(caller.traceparent, `${what}.${kind}`, { kind: "client", attributes });
  if (span === undefined) return { errand, end: () => undefined };
  return {
    errand: { ...errand, caller: { ...caller, traceparent: span.traceparent } },
    end: (failed) => span.end({ failed }),
  };
}
