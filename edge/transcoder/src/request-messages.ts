import type { Message } from "@bufbuild/protobuf";

/** The messages of one request: one that is bound already, or a stream that is bound as it is read. */
export class RequestMessages implements AsyncIterable<Message> {
  /** Why reading the stream failed. A call may report that in its own words, which say less. */
  failure: unknown;
  readonly #messages: Message | AsyncIterable<Message>;

  constructor(messages: Message | AsyncIterable<Message>) {
    this.#messages = messages;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, undefined> {
    if (!(Symbol.asyncIterator in this.#messages)) {
      yield this.#messages;
      return;
    }
    try {
      yield* this.#messages;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}
