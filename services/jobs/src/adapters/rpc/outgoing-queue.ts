/** Messages that wait to be sent over a stream, in order. */
export class OutgoingQueue<M> {
  readonly #waiting: M[] = [];
  #sending = false;
  #wakeSender: (() => void) | undefined;
  #emptied: (() => void)[] = [];
  #failure: { readonly reason: unknown } | undefined;

  /** Whether everything has been handed to the transport. */
  get empty(): boolean {
    return this.#waiting.length === 0 && !this.#sending;
  }

  push(message: M): void {
    this.#waiting.push(message);
    this.#wakeSender?.();
  }

  /** Ends the stream with a failure, after what waits. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wakeSender?.();
  }

  /** Calls once, the next time that the queue is empty. */
  onEmpty(listener: () => void): void {
    this.#emptied.push(listener);
  }

  async emptied(signal: AbortSignal): Promise<void> {
    while (!this.empty && !signal.aborted) await new Promise<void>((resolve) => this.onEmpty(resolve));
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
          yield next;
          this.#sending = false;
          continue;
        }
        for (const listener of this.#emptied.splice(0)) listener();
        if (this.#failure !== undefined) throw this.#failure.reason;
        if (signal.aborted) return;
        await new Promise<void>((resolve) => {
          this.#wakeSender = resolve;
        });
      }
    } finally {
      signal.removeEventListener("abort", wake);
      for (const listener of this.#emptied.splice(0)) listener();
    }
  }
}
