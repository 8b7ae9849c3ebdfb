import { Fault } from "@orrery/mesh/fault/fault";
import type { Caller } from "../auth/key-store.ts";
import { LIMITS } from "../http/limits.ts";
import { Shares } from "./shares.ts";

const NOBODY = "";

/**
 * Counts the bytes of answers that their clients have not taken yet, which wait in this process's memory: without a
 * limit, clients that ask for large answers and never read them could take all of it. What the kernel takes at once is
 * never counted. A share may be exceeded by one answer, as its size is not known before it is made. Nobody is refused
 * for what others do not read, and nothing once it was carried out: to count refuses nobody.
 */
export class UnsentBytes {
  readonly #ofProjects = new Shares();
  readonly #ofNobody = new Shares();

  /**
   * Asked before what would only add to what waits, and again before what was read is sent.
   *
   * @param caller - undefined for who has no key: those share one part, which is counted apart
   * @param bytes - of the answer, where they are known: a small one always passes
   * @throws Fault `RATE_LIMITED` where as much waits for the project as may · `OVERLOADED` where it does for all
   *   projects, and some of it for this one
   */
  requireRoom(caller: Caller | undefined, bytes: number = Number.POSITIVE_INFINITY): void {
    if (bytes < LIMITS.largeAnswerBytes) return;
    const waiting = this.#sharesOf(caller);
    const own = waiting.of(projectOf(caller));
    if (own >= LIMITS.unsentBytesOfProject) throw tooMuch(caller, LIMITS.unsentBytesOfProject);
    if (own > 0 && waiting.all >= LIMITS.unsentBytes) {
      const detail = `Answers of ${waiting.all} bytes wait at this gateway for clients that do not read them.`;
      throw new Fault("OVERLOADED", { detail, retryAfterMs: LIMITS.unsentRetryMs });
    }
  }

  /**
   * Asked before what is submitted, cancelled or retried, whose answer has one input at most: this passes where reads
   * do not, up to a limit of its own.
   *
   * @throws Fault `RATE_LIMITED` where as much waits for the project as may
   */
  requireRoomToSubmit(caller: Caller): void {
    const most = LIMITS.unsentBytesToSubmit;
    if (this.#ofProjects.of(caller.project) >= most) throw tooMuch(caller, most);
  }

  /** Counts bytes that wait, until it is disposed of. */
  count(caller: Caller | undefined, bytes: number): Disposable {
    return this.#sharesOf(caller).take(projectOf(caller), bytes);
  }

  #sharesOf(caller: Caller | undefined): Shares {
    return caller === undefined ? this.#ofNobody : this.#ofProjects;
  }
}

const projectOf = (caller: Caller | undefined): string => caller?.project ?? NOBODY;

function tooMuch(caller: Caller | undefined, mostBytes: number): Fault {
  const whose = caller === undefined ? "Clients without a key" : "The clients of this project";
  const most = `at most ${mostBytes} bytes may wait at once`;
  const detail = `${whose} do not read their answers as fast as they ask; ${most}.`;
  return new Fault("RATE_LIMITED", { detail, retryAfterMs: LIMITS.unsentRetryMs });
}
