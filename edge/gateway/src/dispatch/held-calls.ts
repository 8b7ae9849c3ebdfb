import { Fault } from "@orrery/mesh/fault/fault";
import type { Caller } from "../auth/key-store.ts";
import { LIMITS } from "../http/limits.ts";

/**
 * Counts the calls that stay open: streams, and leases that wait for work. A service takes a thousand calls at once
 * from a gateway, and each of these is one of them for as long as its client likes: without a limit a single key could
 * keep all others' submissions and heartbeats out.
 */
export class HeldCalls {
  readonly #byKey = new Map<string, number>();
  #open = 0;

  /**
   * Takes a place, until it is disposed of.
   *
   * @throws Fault `RATE_LIMITED` where the key holds as many as one may · `OVERLOADED` where all keys do together
   */
  hold({ project, id }: Caller): Disposable {
    const key = `${project} ${id}`;
    const own = this.#byKey.get(key) ?? 0;
    if (own >= LIMITS.heldCallsOfKey) {
      const most = `at most ${LIMITS.heldCallsOfKey} may be at once`;
      const detail = `${own} streams and waiting requests of this key are open; ${most}.`;
      throw new Fault("RATE_LIMITED", { detail, retryAfterMs: LIMITS.heldCallsRetryMs });
    }
    if (this.#open >= LIMITS.heldCalls) {
      const detail = `${this.#open} streams and waiting requests are open at this gateway; it takes no more.`;
      throw new Fault("OVERLOADED", { detail, retryAfterMs: LIMITS.heldCallsRetryMs });
    }
    this.#byKey.set(key, own + 1);
    this.#open += 1;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#open -= 1;
        const left = (this.#byKey.get(key) ?? 1) - 1;
        if (left > 0) this.#byKey.set(key, left);
        else this.#byKey.delete(key);
      },
    };
  }
}
