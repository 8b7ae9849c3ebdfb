/**
 * What is to be sent over a stream, read by its transport at the stream's own pace. Ends when it was closed
 * and read.
 */
export class MessageQueue<T> implements AsyncIterable<T> {
  #waiting: T[] = [];
  #closed = false;
  #wake: () => void = () => undefined;

  push(message: T): void {
    if (this.#closed) return;
    this.#waiting.push(message);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    while (true) {
      const messages = this.#waiting;
      this.#waiting = [];
      yield* messages;
      if (this.#waiting.length > 0) continue;
      if (this.#closed) return;
      await new Promise<void>((woken) => {
        this.#wake = woken;
      });
    }
  }
}
