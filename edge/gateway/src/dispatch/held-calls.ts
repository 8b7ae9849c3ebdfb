import { Fault } from "@orrery/mesh/fault/fault";
import type { Caller } from "../auth/key-store.ts";
import { LIMITS } from "../http/limits.ts";
import { Shares } from "./shares.ts";

/**
 * Counts the calls that stay open: streams, and leases that wait for work. A service takes a thousand calls at once
 * from a gateway, and each of these is one of them for as long as its client likes: without a limit a single key could
 * keep all others' submissions and heartbeats out.
 */
export class HeldCalls {
  readonly #open = new Shares();

  /**
   * Takes a place, until it is disposed of.
   *
   * @throws Fault `RATE_LIMITED` where the project holds as many as one may · `OVERLOADED` where all do together
   */
  hold({ project }: Caller): Disposable {
    const own = this.#open.of(project);
    if (own >= LIMITS.heldCallsOfProject) {
      const most = `at most ${LIMITS.heldCallsOfProject} may be at once`;
      const detail = `${own} streams and waiting requests of this project are open; ${most}.`;
      throw new Fault("RATE_LIMITED", { detail, retryAfterMs: LIMITS.heldCallsRetryMs });
    }
    if (this.#open.all >= LIMITS.heldCalls) {
      const detail = `${this.#open.all} streams and waiting requests are open at this gateway; it takes no more.`;
      throw new Fault("OVERLOADED", { detail, retryAfterMs: LIMITS.heldCallsRetryMs });
    }
    return this.#open.take(project, 1);
  }
}
