import type { Caller } from "../auth/key-store.ts";

/** How much of something each key has at a gateway, and all keys together; who has no key shares one part. */
export class Shares {
  readonly #byKey = new Map<string, number>();
  #all = 0;

  get all(): number {
    return this.#all;
  }

  of(caller: Caller | undefined): number {
    return this.#byKey.get(keyOf(caller)) ?? 0;
  }

  /** Adds to what a key has, until it is disposed of. */
  take(caller: Caller | undefined, amount: number): Disposable {
    const key = keyOf(caller);
    this.#change(key, amount);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#change(key, -amount);
        held = false;
      },
    };
  }

  #change(key: string, by: number): void {
    this.#all += by;
    const own = (this.#byKey.get(key) ?? 0) + by;
    if (own > 0) this.#byKey.set(key, own);
    else this.#byKey.delete(key);
  }
}

const keyOf = (caller: Caller | undefined): string =>
  caller === undefined ? "" : `${caller.project} ${caller.id}`;
