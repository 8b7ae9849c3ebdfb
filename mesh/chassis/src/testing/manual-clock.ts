import type { Clock } from "../time/clock.ts";

/** A clock that stands still until a test advances it. Both hands move together. */
export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;

  /** @default startMs 2026-01-01T00:00:00Z */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Moves time forward by so many milliseconds. */
  advance(ms: number): void {
    this.#nowMs += ms;
    this.#monotonicMs += ms;
  }
}
