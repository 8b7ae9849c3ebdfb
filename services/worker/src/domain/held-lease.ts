// L1: what a worker does under a lease ends before the engine may grant the job again. The worker trusts a lease
//     for 13 s from the moment it asked for it to be kept (15 s less a margin of 2 s), by its own monotonic clock:
//     neither a jump of the wall clock nor a slow answer stretches the trust.
// L2: a result that nobody may accept any more is dropped, never sent.
import type { Attempt, AttemptEnd } from "./attempt.ts";

const LEASE_MS = 15_000;
const TRUST_MARGIN_MS = 2_000;

/** Why a worker stops an attempt before it ends by itself. */
export type StopCause = "cancelled" | "timeout" | "lost" | "released";

/** What becomes of an attempt's own word about its end, by why it was stopped. */
const ON_STOP = {
  cancelled: (end) => (end.kind === "succeeded" ? end : CANCELLED),
  timeout: () => TIMED_OUT,
  lost: () => undefined,
  released: () => undefined,
} as const satisfies Record<StopCause, (end: AttemptEnd) => AttemptEnd | undefined>;

const CANCELLED: AttemptEnd = {
  kind: "cancelled",
  error: { type: "CANCELLED", message: "stopped because a cancellation was asked for", retryable: false },
};

const TIMED_OUT: AttemptEnd = {
  kind: "failed",
  error: { type: "TIMEOUT", message: "the attempt took longer than its timeout", retryable: true },
};

/**
 * Until when a lease is trusted that was asked for, or asked to be kept, at `askedAtMs` (monotonic). Keeps
 * L1.
 */
export const trustedUntil = (askedAtMs: number): number => askedAtMs + LEASE_MS - TRUST_MARGIN_MS;

/** A lease in this worker's hands. */
export interface HeldLease {
  readonly attempt: Attempt;
  /** Monotonic milliseconds. */
  readonly startedAtMs: number;
  /** Monotonic milliseconds. */
  trustedUntilMs: number;
  /** Why it was told to stop, the first cause only. */
  stop: StopCause | undefined;
  /** Its end, once its handler is through and until the engine has answered. */
  end: AttemptEnd | undefined;
  /** When its handler was through, in monotonic milliseconds. */
  endedAtMs: number;
  /** How many times the end was sent. */
  timesSent: number;
}

/**
 * Why an attempt has to be stopped now; undefined while it may go on. One that has ended has nothing left to
 * stop: its result is fenced by its epoch, and the engine decides over it.
 */
export function stopDue(held: HeldLease, nowMs: number): "lost" | "timeout" | undefined {
  if (held.end !== undefined || !isKept(held)) return undefined;
  if (nowMs >= held.trustedUntilMs) return "lost";
  if (held.stop === undefined && nowMs >= held.startedAtMs + held.attempt.timeoutMs) return "timeout";
  return undefined;
}

const SEND_LIMIT = 5;
const GIVE_UP_MS = 60_000;

/**
 * Whether a result was sent so often, for so long, and never answered, that the engine will not take it any
 * more.
 */
export const isHopeless = ({ timesSent, endedAtMs }: HeldLease, nowMs: number): boolean =>
  timesSent >= SEND_LIMIT && nowMs - endedAtMs >= GIVE_UP_MS;

/** What to tell the engine of an attempt that ended; undefined where there is nothing to tell (L2). */
export function wordFor(stop: StopCause | undefined, end: AttemptEnd): AttemptEnd | undefined {
  return stop === undefined ? end : ON_STOP[stop](end);
}

/** Whether the worker still holds on to a lease: it is kept by heartbeats, and its end is worth telling. */
export function isKept({ stop }: HeldLease): boolean {
  return stop !== "lost" && stop !== "released";
}
