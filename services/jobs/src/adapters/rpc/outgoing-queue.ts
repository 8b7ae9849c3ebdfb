interface Waiting<M> {
  readonly message: M;
  readonly taken: () => void;
}

/** Messages that wait to be sent over a stream, in order. */
export class OutgoingQueue<M> {
  readonly #waiting: Waiting<M>[] = [];
  #sending = false;
  #over = false;
  #wakeSender: (() => void) | undefined;
  readonly #emptied = new Set<() => void>();
  #failure: { readonly reason: unknown } | undefined;

  /** Whether everything has been handed to the transport. */
  get empty(): boolean {
    return this.#waiting.length === 0 && !this.#sending;
  }

  push(message: M): void {
    this.#add({ message, taken: () => undefined });
  }

  /** As `push`. @returns when the message was handed over, or never will be */
  send(message: M): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#add({ message, taken: resolve });
    return promise;
  }

  /** Takes back what waits: it was handed to nobody, and is not any more. What comes later is dropped. */
  takeBack(): M[] {
    this.#over = true;
    return this.#waiting.splice(0).map(({ message, taken }) => {
      taken();
      return message;
    });
  }

  /** Ends the stream with a failure, after what waits. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wakeSender?.();
  }

  /** Calls once, the next time that the queue is empty, unless that is disposed of before. */
  onEmpty(listener: () => void): Disposable {
    this.#emptied.add(listener);
    return { [Symbol.dispose]: () => void this.#emptied.delete(listener) };
  }

  async emptied(signal: AbortSignal): Promise<void> {
    while (!this.empty && !signal.aborted) await new Promise<void>((resolve) => void this.onEmpty(resolve));
  }

  /** Gives the messages to whoever sends them; takes the next only when the one before was taken off. */
  async *drain(signal: AbortSignal): AsyncGenerator<M, void> {
    const wake = (): void => this.#wakeSender?.();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted || this.#waiting.length > 0) {
        const next = this.#waiting.shift();
        if (next !== undefined) {
          this.#sending = true;
          next.taken();
          yield next.message;
          this.#sending = false;
          continue;
        }
        this.#tellEmpty();
        if (this.#failure !== undefined) throw this.#failure.reason;
        if (signal.aborted) return;
        await new Promise<void>((resolve) => {
          this.#wakeSender = resolve;
        });
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.#tellEmpty();
    }
  }

  #add(waiting: Waiting<M>): void {
    if (this.#over) {
      waiting.taken();
      return;
    }
    this.#waiting.push(waiting);
    this.#wakeSender?.();
  }

  #tellEmpty(): void {
    const listeners = [...this.#emptied];
    this.#emptied.clear();
    for (const listener of listeners) listener();
  }
}
