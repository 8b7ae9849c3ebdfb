import type { Fault } from "../fault/fault.ts";
import type { OpenCall } from "./open-call.ts";

/** The calls that a server has let in and not yet answered. */
export class OpenCalls {
  readonly #inside = new Set<OpenCall>();
  #waiting: (() => void)[] = [];

  get count(): number {
    return this.#inside.size;
  }

  add(call: OpenCall): void {
    this.#inside.add(call);
  }

  remove(call: OpenCall): void {
    this.#inside.delete(call);
    if (this.#inside.size > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  }

  /** Resolves when there are none. */
  empty(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#inside.size === 0) resolve();
    else this.#waiting.push(resolve);
    return promise;
  }

  /** Ends those that have no deadline: streams that would go on as long as both ends live. */
  endEndless(why: Fault): void {
    for (const call of this.#inside) if (call.deadlineMs === undefined) call.end(why);
  }

  endAll(why: Fault): void {
    for (const call of this.#inside) call.end(why);
  }
}
