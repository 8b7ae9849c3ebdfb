import { Fault } from "@orrery/mesh/fault/fault";
import type { Caller } from "../auth/key-store.ts";
import { LIMITS } from "../http/limits.ts";
import { Shares } from "./shares.ts";

/**
 * Counts the bytes of answers that their clients have not taken yet, which wait in this process's memory: without a
 * limit, clients that ask for large answers and never read them could take all of it. What the kernel takes at once is
 * never counted. A share may be exceeded by one answer, as its size is not known before it is made.
 */
export class UnsentBytes {
  readonly #waiting = new Shares();

  /**
   * Asked before a call, which would only add to what waits.
   *
   * @throws Fault `RATE_LIMITED` where as much waits for the key as may · `OVERLOADED` where it does for all keys
   */
  requireRoom(caller: Caller | undefined): void {
    if (this.#waiting.of(caller) >= LIMITS.unsentBytesOfKey) {
      const most = `at most ${LIMITS.unsentBytesOfKey} bytes may wait at once`;
      const detail = `The clients of this key do not read their answers as fast as they ask; ${most}.`;
      throw new Fault("RATE_LIMITED", { detail, retryAfterMs: LIMITS.unsentRetryMs });
    }
    if (this.#waiting.all >= LIMITS.unsentBytes) {
      const detail = `Answers of ${this.#waiting.all} bytes wait at this gateway for clients that do not read them.`;
      throw new Fault("OVERLOADED", { detail, retryAfterMs: LIMITS.unsentRetryMs });
    }
  }

  /** Counts bytes that wait, until it is disposed of. @throws Fault as `requireRoom`, and then counts nothing */
  hold(caller: Caller | undefined, bytes: number): Disposable {
    this.requireRoom(caller);
    return this.#waiting.take(caller, bytes);
  }
}
