import CircuitBreaker from "opossum";
import { Fault, reasonRules } from "../fault/fault.ts";
import { METRIC } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type Chance, type Clock, systemChance, systemClock } from "../time/clock.ts";

/** What a breaker does with calls: lets them through, lets one through to see, refuses them at once. */
export type BreakerState = "closed" | "half_open" | "open";

/** What an error says of the dependency: that it failed, that it is there, or neither. */
export type Verdict = "failure" | "alive" | "nothing";

/** Stands between this process and one dependency, and stops calling it while it does not answer. */
export interface Breaker {
  /**
   * Runs an action against the dependency, for at most the time that it may take.
   *
   * @param action - obeys the signal, which ends at the limit
   * @throws Fault `DEPENDENCY_UNAVAILABLE` with `retryAfterMs`, when open or when the action takes too long;
   *   what the action throws, otherwise
   */
  run<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Runs an action that keeps to a time limit of its own, such as a gRPC call with a deadline. */
  guard<T>(action: () => Promise<T>): Promise<T>;
  state(): BreakerState;
  /** Ends its timers. Calls after that are refused. */
  close(): void;
}

/** What a breaker is made of. */
export interface BreakerOptions {
  /** The value of the metric's label `dependency`; one breaker for each, not for each method. */
  readonly dependency: string;
  readonly metrics: Metrics;
  /** The longest that an action may take, in milliseconds. 1 to 600,000; 10,000 unless said. */
  readonly timeoutMs?: number;
  /** Calls in the window below which it never opens. 20 unless said, and never less than 1. */
  readonly volumeThreshold?: number;
  /** The part of failures, in percent, at which it opens. 50 unless said. */
  readonly errorThresholdPercentage?: number;
  /**
   * How long it stays open before one call is let through, in milliseconds, ±20 % by lot. 1,000 unless said.
   */
  readonly resetMs?: number;
  /**
   * What an error says. Nothing is never held against a dependency that is called, nor taken for proof that one is
   * back. Unless said, all is a failure but what the caller brought about; a caller that went away always says nothing.
   */
  readonly verdict?: (error: unknown) => Verdict;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

const STATE_VALUE: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };
const WINDOW_MS = 10_000;

/**
 * A breaker over opossum, set up so that only the dependency's own failures open it.
 *
 * What the caller did wrong does not count as a failure, and opossum's own timer is not used: it frees the
 * slot while the action runs on, and without one a probe that hangs would leave the breaker half open for
 * ever. The time limit is part of the action here, so that every action ends.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  const { dependency, timeoutMs = 10_000, resetMs = 1_000, clock = systemClock } = options;
  const { verdict = ownVerdict, chance = systemChance } = options;
  const state = (): BreakerState => (circuit.opened ? "open" : circuit.halfOpen ? "half_open" : "closed");
  const circuit = new CircuitBreaker((action: () => Promise<unknown>) => action(), {
    name: dependency,
    timeout: false,
    resetTimeout: Math.round(resetMs * (0.8 + 0.4 * chance.next())),
    volumeThreshold: Math.max(1, options.volumeThreshold ?? 20),
    errorThresholdPercentage: options.errorThresholdPercentage ?? 50,
    rollingCountTimeout: WINDOW_MS,
    rollingPercentilesEnabled: false,
    // What is filtered counts as a success.
    errorFilter: (error: unknown) => {
      const said = isCancelled(error) ? "nothing" : verdict(error);
      return said === "alive" || (said === "nothing" && state() !== "half_open");
    },
  });
  let openedMs = 0;
  const gauge = options.metrics.gauge(
    METRIC.BREAKER_STATE,
    "State of the breaker of each dependency: 0 closed, 1 half open, 2 open.",
    ["dependency"],
  );
  // A breaker is half open for as long as one call takes: between two scrapes only a count tells of it.
  const changes = options.metrics.counter(
    METRIC.BREAKER_CHANGES,
    "How often the breaker of a dependency came into a state: closed, half_open, open.",
    ["dependency", "state"],
  );
  for (const each of Object.keys(STATE_VALUE)) changes.inc({ dependency, state: each }, 0);
  const show = (): void => gauge.set({ dependency }, STATE_VALUE[state()]);
  const changed = (): void => {
    show();
    changes.inc({ dependency, state: state() });
  };
  circuit.on("open", () => {
    openedMs = clock.monotonicMs();
    changed();
  });
  circuit.on("halfOpen", changed);
  circuit.on("close", changed);
  show();

  const guard = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return (await circuit.fire(action)) as T;
    } catch (failure) {
      if (!(failure instanceof Error) || !CircuitBreaker.isOurError(failure)) throw failure;
      const leftMs = openedMs + resetMs - clock.monotonicMs();
      const retryAfterMs = Math.round(Math.min(resetMs, Math.max(100, leftMs)));
      throw new Fault("DEPENDENCY_UNAVAILABLE", {
        detail: `${dependency} has not answered lately; calls to it are held back for a moment`,
        retryAfterMs,
      });
    }
  };
  return {
    guard,
    run: (action) => guard(() => withinTime(action, timeoutMs, { dependency, retryAfterMs: resetMs })),
    state,
    close: () => circuit.shutdown(),
  };
}

/** A refusal shows that the dependency is there. */
function ownVerdict(error: unknown): Verdict {
  return error instanceof Fault && reasonRules(error.reason).httpStatus < 500 ? "alive" : "failure";
}

function isCancelled(error: unknown): boolean {
  return error instanceof Fault && error.reason === "CANCELLED";
}

async function withinTime<T>(
  action: (signal: AbortSignal) => Promise<T>,
  limitMs: number,
  told: { dependency: string; retryAfterMs: number },
): Promise<T> {
  const late = (): Fault => {
    const detail = `${told.dependency} did not answer in time`;
    return new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: told.retryAfterMs });
  };
  const controller = new AbortController();
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const failure = late();
    reject(failure);
    controller.abort(failure);
  }, limitMs);
  try {
    return await Promise.race([action(controller.signal), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
