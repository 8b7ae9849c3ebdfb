import type { Logger } from "@orrery/mesh/telemetry/logger";
import { wait } from "@orrery/mesh/time/wait";
import { VALUE_GROWTH } from "@orrery/mesh/transport/json-value";
import type { Transition } from "../domain/mission.ts";
import {
  CALL_BYTES,
  CALLS_AT_ONCE,
  ERRANDS_AT_ONCE,
  HOLD_MS,
  LANES,
  MISSIONS_AT_ONCE,
  POLL_MS,
  SILENCE_MS,
  TRY_AGAIN_MS,
} from "./limits.ts";
import { traceErrand } from "./mission-spans.ts";
import type { Errands, HeldErrand, JobsPeer, Submitted } from "./ports.ts";
import type { KnownEnd } from "./take-in-ends.ts";

export interface RunErrandsDeps {
  readonly errands: Errands;
  readonly peer: JobsPeer;
  /** Begins missions that were launched; says how many. */
  readonly begin: () => Promise<number>;
  /** Takes in how jobs ended. */
  readonly takeIn: (ends: readonly KnownEnd[]) => Promise<void>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Does what decisions have left to be done, on every replica: begins missions, submits, cancels and retries jobs, and
 * asks about those that are silent. Everything was written down before and is done again until it is noted as done, so
 * that an end of the process at any instant costs time and nothing else.
 */
export interface ErrandRunner {
  /** Looks at once at what has just been committed. */
  nudge(transitions: readonly Transition[]): void;
  /** Looks at once for errands that are due. */
  wake(): void;
  /** Resolves when everything under way has ended; begins with the signal. */
  readonly ended: Promise<unknown>;
}

/** Sets the runner going; the signal ends it. */
export function startErrands(deps: RunErrandsDeps): ErrandRunner {
  const launches = createBell();
  const lanes = Array.from({ length: LANES }, () => createBell());
  // One idle lane is enough; where all are at work, the first comes round once more.
  const wake = (): void => (lanes.find((lane) => lane.isIdle()) ?? lanes[0])?.ring();
  return {
    nudge: (transitions) => {
      if (transitions.some(({ fact }) => fact === "MissionCreated")) launches.ring();
      if (transitions.some(({ fact }) => fact !== "MissionCreated")) wake();
    },
    wake,
    ended: Promise.all([
      keepAt(deps, launches, async () => (await deps.begin()) >= MISSIONS_AT_ONCE),
      ...lanes.map((lane) => keepAt(deps, lane, async () => (await runDue(deps)) >= ERRANDS_AT_ONCE)),
    ]),
  };
}

/** Works whenever its bell rings, and from time to time. @param work - says whether there is more to do at once */
async function keepAt(
  { logger, signal }: RunErrandsDeps,
  bell: Bell,
  work: () => Promise<boolean>,
): Promise<void> {
  let trouble = 0;
  while (!signal.aborted) {
    let more = false;
    try {
      more = await work();
      trouble = 0;
    } catch (failure) {
      // At its begin, and then from time to time: a database that is away stays away for many tries.
      if (trouble % 30 === 0 && !signal.aborted)
        logger.warn("errands are not run", { reason: String(failure) });
      trouble += 1;
    }
    if (!more) await bell.wait(POLL_MS, signal);
  }
}

/** Runs one round of what is due. @returns how many errands there were */
async function runDue(deps: RunErrandsDeps): Promise<number> {
  const held = await deps.errands.take(ERRANDS_AT_ONCE, HOLD_MS);
  const of = (kind: HeldErrand["kind"]): readonly HeldErrand[] =>
    held.filter((errand) => errand.kind === kind);
  await Promise.all([
    ...calls(of("submit")).map((errands) => submit(deps, errands)),
    each(deps, of("cancel"), (errand) => deps.peer.cancel(errand, deps.signal)),
    each(deps, of("retry"), (errand) => deps.peer.retry(errand, deps.signal)),
    look(deps, of("look")),
  ]);
  return held.length;
}

async function submit(deps: RunErrandsDeps, errands: readonly HeldErrand[]): Promise<void> {
  const traced = errands.map(traceErrand);
  const outcomes = await deps.peer.submit(
    traced.map(({ errand }) => errand),
    deps.signal,
  );
  for (const [index, { end }] of traced.entries()) end(outcomes[index]?.kind !== "accepted");
  const by = (kind: Submitted["kind"]): readonly HeldErrand[] =>
    errands.filter((_errand, index) => (outcomes[index]?.kind ?? "later") === kind);
  const [accepted, later] = [by("accepted"), by("later")];
  if (accepted.length > 0) await deps.errands.done(accepted, SILENCE_MS);
  if (later.length > 0) await deps.errands.giveBack(later, TRY_AGAIN_MS);
  await deps.takeIn(errands.flatMap((errand, index) => refusal(errand, outcomes[index])));
}

/** A job that the jobs service will never take is known not to be done. */
function refusal({ jobId }: HeldErrand, outcome: Submitted | undefined): readonly KnownEnd[] {
  if (outcome?.kind !== "refused") return [];
  const error = { type: "JOB_REFUSED", message: outcome.message };
  return [{ jobId, version: 0, end: { kind: "failed", unknown: false, error } }];
}

/** Makes one call for each errand, and notes those that worked. */
async function each(
  deps: RunErrandsDeps,
  errands: readonly HeldErrand[],
  call: (errand: HeldErrand) => Promise<void>,
): Promise<void> {
  const worked = await settled(deps, errands, async (errand) => {
    await call(errand);
    return errand;
  });
  if (worked.length > 0) await deps.errands.done(worked, SILENCE_MS);
}

async function look(deps: RunErrandsDeps, errands: readonly HeldErrand[]): Promise<void> {
  const states = await settled(deps, errands, async (errand) => ({
    errand,
    state: await deps.peer.look(errand, deps.signal),
  }));
  const open = states.flatMap(({ errand, state }) =>
    state.end === undefined || state.version <= errand.seenVersion ? [errand] : [],
  );
  if (open.length > 0) await deps.errands.done(open, SILENCE_MS);
  await deps.takeIn(
    states.flatMap(({ errand: { jobId }, state: { version, end } }) =>
      end === undefined ? [] : [{ jobId, version, end }],
    ),
  );
}

/** Does each, a few at a time; what fails is given back. @returns the results of those that worked */
async function settled<T>(
  { errands: store, logger, signal }: RunErrandsDeps,
  errands: readonly HeldErrand[],
  work: (errand: HeldErrand) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = [];
  const failed: HeldErrand[] = [];
  const waiting = [...errands];
  const run = async (): Promise<void> => {
    for (let errand = waiting.shift(); errand !== undefined; errand = waiting.shift()) {
      const traced = traceErrand(errand);
      try {
        results.push(await work(traced.errand));
        traced.end(false);
      } catch (failure) {
        traced.end(true);
        failed.push(errand);
        if (failed.length === 1 && !signal.aborted)
          logger.warn("the jobs service did not do what was asked", {
            kind: errand.kind,
            reason: String(failure),
          });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, errands.length) }, run));
  if (failed.length > 0) await store.giveBack(failed, TRY_AGAIN_MS);
  return results;
}

/** Divides submissions into calls of so many bytes. */
function calls(errands: readonly HeldErrand[]): readonly (readonly HeldErrand[])[] {
  const divided: HeldErrand[][] = [];
  let bytes = CALL_BYTES;
  for (const errand of errands) {
    const weight = Buffer.byteLength(errand.inputText ?? "") * VALUE_GROWTH;
    if (bytes + weight > CALL_BYTES || divided.length === 0) {
      divided.push([]);
      bytes = 0;
    }
    divided.at(-1)?.push(errand);
    bytes += weight;
  }
  return divided;
}

interface Bell {
  ring(): void;
  /** Whether somebody waits for it. */
  isIdle(): boolean;
  /** Waits for a ring, at most so long; one that came before the wait ends it at once. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

function createBell(): Bell {
  let rung = false;
  let heard: (() => void) | undefined;
  return {
    ring: () => {
      rung = true;
      heard?.();
    },
    isIdle: () => heard !== undefined && !rung,
    wait: async (ms, signal) => {
      if (!rung) {
        const over = new AbortController();
        heard = () => over.abort();
        await wait(ms, AbortSignal.any([signal, over.signal]));
        heard = undefined;
      }
      rung = false;
    },
  };
}
