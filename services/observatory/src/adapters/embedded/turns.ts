/** What waits in line: each asker's in the order in which it was asked, and the askers take turns. */
export class Turns<T extends { readonly asker: string }> {
  /** The line of the asker whose turn is next comes first; none is empty. */
  readonly #lines = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** How many wait of one asker. */
  sizeOf(asker: string): number {
    return this.#lines.get(asker)?.size ?? 0;
  }

  add(item: T): void {
    const line = this.#lines.get(item.asker) ?? new Set();
    this.#lines.set(item.asker, line.add(item));
    this.#size++;
  }

  /** Lets one go that waits no longer; a repeat does nothing. */
  delete(item: T): void {
    const line = this.#lines.get(item.asker);
    if (line?.delete(item) !== true) return;
    this.#size--;
    if (line.size === 0) this.#lines.delete(item.asker);
  }

  /** Takes what is next out of the line; its asker's next turn comes after everybody else's. */
  take(): T | undefined {
    const [first] = this.#lines;
    if (first === undefined) return undefined;
    const [asker, line] = first;
    const [next] = line;
    if (next !== undefined) this.delete(next);
    if (this.#lines.delete(asker)) this.#lines.set(asker, line);
    return next;
  }
}
