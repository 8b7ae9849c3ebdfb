import { types } from "node:util";
import type { Logger } from "../telemetry/logger.ts";
import { wait } from "../time/wait.ts";

/** One thing that readiness depends on. */
export interface HealthDetail {
  readonly name: string;
  readonly ok: boolean;
  /** Why not, in one line; undefined where it is. */
  readonly problem: string | undefined;
}

/** Knows whether this process can do its work. Ready only while every probe succeeds. */
export interface Health {
  /**
   * Adds a probe, which runs at once and then again and again. Until its first success the process is
   * unready.
   *
   * @param intervalMs - milliseconds between the end of a probe and the next; 1,000 unless said
   */
  check(name: string, probe: () => Promise<void> | void, intervalMs?: number): void;
  ready(): boolean;
  details(): readonly HealthDetail[];
  /** Calls the listener when readiness turns. Returns what takes the listener off again. */
  onChange(listener: (ready: boolean) => void): () => void;
}

/** A `Health` and the hands of who owns the process. */
export interface OwnedHealth extends Health, Disposable {
  /** Says that everything has been started: without it nothing is ready. */
  started(): void;
  /** Says that the process stops: it is not ready again. */
  stopping(): void;
}

const INTERVAL_MS = 1_000;
const PROBE_LIMIT_MS = 5_000;
const UNKNOWN = "not checked yet";

/** A health that is not ready until `started` was called and every probe has succeeded. */
export function createHealth({ logger }: { logger: Logger }): OwnedHealth {
  const problems = new Map<string, string | undefined>([["started", "not started yet"]]);
  const listeners = new Set<(ready: boolean) => void>();
  const stop = new AbortController();
  const ready = (): boolean => [...problems.values()].every((problem) => problem === undefined);
  let last = false;
  const note = (name: string, problem: string | undefined): void => {
    if (problems.has(name) && problems.get(name) === problem) return;
    problems.set(name, problem);
    const now = ready();
    if (problem !== undefined && problem !== UNKNOWN) logger.warn("not ready", { check: name, problem });
    if (now === last) return;
    last = now;
    if (now) logger.info("ready");
    for (const listener of listeners) listener(now);
  };
  const watch = async (
    name: string,
    probe: () => Promise<void> | void,
    intervalMs: number,
  ): Promise<void> => {
    while (!stop.signal.aborted) {
      note(name, await outcomeOf(probe, stop.signal));
      await wait(intervalMs, stop.signal);
    }
  };
  return {
    check: (name, probe, intervalMs = INTERVAL_MS) => {
      note(name, UNKNOWN);
      void watch(name, probe, intervalMs);
    },
    ready,
    details: () => [...problems].map(([name, problem]) => ({ name, ok: problem === undefined, problem })),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    started: () => note("started", undefined),
    stopping: () => note("started", "stopping"),
    [Symbol.dispose]: () => stop.abort(),
  };
}

// A probe that hangs is a probe that fails.
async function outcomeOf(
  probe: () => Promise<void> | void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limit = new AbortController();
  const ended = AbortSignal.any([limit.signal, signal]);
  try {
    const late = wait(PROBE_LIMIT_MS, ended).then(() => `no answer within ${PROBE_LIMIT_MS} ms`);
    const answer = Promise.resolve(probe()).then(() => undefined);
    return await Promise.race([answer, late]);
  } catch (failure) {
    return types.isNativeError(failure) ? failure.message : String(failure);
  } finally {
    limit.abort();
  }
}
