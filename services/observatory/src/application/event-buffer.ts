import type { WatchedEvent } from "./ports.ts";

const LIMIT = 5_000;

/**
 * Live events on their way to one client. Bounded: once over its limit it ends, and the reader falls back to
 * the store.
 */
export class EventBuffer implements Disposable {
  readonly #signal: AbortSignal;
  #events: WatchedEvent[] = [];
  #overflown = false;
  #wake: (() => void) | undefined;
  readonly #ended = (): void => this.#wake?.();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#ended);
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#ended);
  }

  push(event: WatchedEvent): void {
    if (this.#overflown) return;
    this.#events.push(event);
    if (this.#events.length > LIMIT) this.overflow();
    this.#wake?.();
  }

  /** Drops what waits and ends `drain`. */
  overflow(): void {
    this.#overflown = true;
    this.#events = [];
    this.#wake?.();
  }

  /** Gives events as they come, until the signal or an overflow ends it. */
  async *drain(): AsyncGenerator<WatchedEvent> {
    while (!this.#signal.aborted && !this.#overflown) {
      const batch = this.#events;
      this.#events = [];
      yield* batch;
      if (this.#events.length > 0 || this.#overflown || this.#signal.aborted) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
