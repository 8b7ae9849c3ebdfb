import { Fault } from "@orrery/mesh/fault/fault";
import type { Caller } from "../auth/key-store.ts";
import { LIMITS } from "../http/limits.ts";
import { Shares } from "./shares.ts";

const NOBODY = "";

/**
 * Counts the bytes of answers that their clients have not taken yet, which wait in this process's memory: without a
 * limit, clients that ask for large answers and never read them could take all of it. What the kernel takes at once is
 * never counted. A share may be exceeded by one answer, as its size is not known before it is made. Nobody is refused
 * for what others do not read.
 */
export class UnsentBytes {
  readonly #ofProjects = new Shares();
  readonly #ofNobody = new Shares();

  /**
   * Asked before what would only add to what waits.
   *
   * @param caller - undefined for who has no key: those share one part, which is counted apart
   * @throws Fault `RATE_LIMITED` where as much waits for the project as may · `OVERLOADED` where it does for all
   *   projects, and some of it for this one
   */
  requireRoom(caller: Caller | undefined): void {
    const { waiting, project } = this.#partOf(caller);
    const own = waiting.of(project);
    if (own >= LIMITS.unsentBytesOfProject) {
      const most = `at most ${LIMITS.unsentBytesOfProject} bytes may wait at once`;
      const whose = caller === undefined ? "Clients without a key" : "The clients of this project";
      const detail = `${whose} do not read their answers as fast as they ask; ${most}.`;
      throw new Fault("RATE_LIMITED", { detail, retryAfterMs: LIMITS.unsentRetryMs });
    }
    if (own > 0 && waiting.all >= LIMITS.unsentBytes) {
      const detail = `Answers of ${waiting.all} bytes wait at this gateway for clients that do not read them.`;
      throw new Fault("OVERLOADED", { detail, retryAfterMs: LIMITS.unsentRetryMs });
    }
  }

  /** Counts bytes that wait, until it is disposed of. @throws Fault as `requireRoom`, and then counts nothing */
  hold(caller: Caller | undefined, bytes: number): Disposable {
    this.requireRoom(caller);
    const { waiting, project } = this.#partOf(caller);
    return waiting.take(project, bytes);
  }

  #partOf(caller: Caller | undefined): { waiting: Shares; project: string } {
    return caller === undefined
      ? { waiting: this.#ofNobody, project: NOBODY }
      : { waiting: this.#ofProjects, project: caller.project };
  }
}
