import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { Accept } from "./media-type.ts";

/** How a stream of messages is written, by what the client accepts. */
export type StreamFormat = "application/x-ndjson" | "text/event-stream" | "application/json";

const FORMATS: readonly StreamFormat[] = ["application/x-ndjson", "text/event-stream", "application/json"];

/** Lines or events where the client names them, else an array. */
export function streamFormat(accept: Accept): StreamFormat {
  return accept.bestNamed(FORMATS) ?? "application/json";
}

/** The text of each part of a stream. */
export interface StreamFraming {
  message(json: string, message: Message): string;
  /** The last frame of a stream that failed. */
  failure(json: string): string;
  readonly begin: string;
  readonly end: string;
}

type SseHook = (method: DescMethod, message: Message) => { id?: string; event?: string };

export function framingOf(format: StreamFormat, method: DescMethod, sse: SseHook | undefined): StreamFraming {
  if (format === "application/x-ndjson") return LINES;
  if (format === "application/json") return arrayFraming();
  return {
    message: (json, message) => {
      const { id, event } = sse?.(method, message) ?? {};
      return `${sseField("id", id)}${sseField("event", event)}data: ${json}\n\n`;
    },
    failure: (json) => `event: error\ndata: ${json}\n\n`,
    begin: "",
    end: "",
  };
}

const LINES: StreamFraming = {
  message: (json) => `${json}\n`,
  failure: (json) => `${json}\n`,
  begin: "",
  end: "",
};

function arrayFraming(): StreamFraming {
  let separator = "";
  const element = (json: string) => {
    const framed = separator + json;
    separator = ",";
    return framed;
  };
  return { message: element, failure: element, begin: "[", end: "]" };
}

/** These would end the line; a NUL makes browsers ignore an id. */
const LINE_BREAKING = ["\r", "\n", "\0"];

function sseField(name: string, value: string | undefined): string {
  return value === undefined || LINE_BREAKING.some((sign) => value.includes(sign))
    ? ""
    : `${name}: ${value}\n`;
}

const UTF8 = new TextEncoder();
const COMMENT = ":\n\n";

/** What a wait for the next message ended with. */
export type Arrival = IteratorResult<Message, unknown> | "quiet";

/**
 * Reads a call's messages with a limit on each wait. A message that comes after its wait is not lost.
 *
 * There is no promise that outlives a message: one for the whole stream, raced against each message, would hold every
 * message that ever came until the stream ends.
 */
export class MessageReader {
  readonly #iterator: AsyncIterator<Message>;
  readonly #signal: AbortSignal;
  /** Whether a message was asked for and not handed on yet. */
  #asked = false;
  #came: { readonly result: IteratorResult<Message> } | { readonly failure: unknown } | undefined;
  #wake: () => void = () => undefined;

  /** @param signal - ends every wait with its reason, whether the call obeys it or not */
  constructor(messages: AsyncIterable<Message>, signal: AbortSignal) {
    this.#iterator = messages[Symbol.asyncIterator]();
    this.#signal = signal;
    const abort = () => {
      this.#wake();
      this.close();
    };
    signal.addEventListener("abort", abort, { once: true });
  }

  /** @param quietMs - after so many milliseconds of silence gives `"quiet"`; undefined waits for ever */
  async next(quietMs?: number): Promise<Arrival> {
    this.#signal.throwIfAborted();
    if (!this.#asked) this.#ask();
    if (this.#came === undefined) await this.#wait(quietMs);
    this.#signal.throwIfAborted();
    const came = this.#came;
    if (came === undefined) return "quiet";
    this.#came = undefined;
    this.#asked = false;
    if ("failure" in came) throw came.failure;
    return came.result;
  }

  /** Tells the call that nobody reads on. Does not wait for it. */
  close(): void {
    this.#iterator.return?.().catch(() => undefined);
  }

  #ask(): void {
    this.#asked = true;
    this.#iterator.next().then(
      (result) => {
        this.#came = { result };
        this.#wake();
      },
      (failure: unknown) => {
        this.#came = { failure };
        this.#wake();
      },
    );
  }

  async #wait(quietMs: number | undefined): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (quietMs !== undefined) timer = setTimeout(resolve, quietMs);
    });
    clearTimeout(timer);
    this.#wake = () => undefined;
  }
}

export interface StreamParts {
  readonly reader: MessageReader;
  readonly framing: StreamFraming;
  /** What is written at once: the beginning, and the first message where there is one. */
  readonly opening: string;
  /** The call has ended already. */
  readonly ended: boolean;
  readonly json: (message: Message) => string;
  /** The JSON of the last frame after a failure. */
  readonly failure: (error: unknown) => string;
  /** Milliseconds between comments in silence; undefined for formats that have none. */
  readonly keepAliveMs: number | undefined;
}

/** The body of a stream: every message in a frame, a failure as the last frame, comments in silence. */
export async function* streamBody(parts: StreamParts): AsyncGenerator<Uint8Array> {
  const { reader, framing, keepAliveMs } = parts;
  if (parts.opening !== "") yield UTF8.encode(parts.opening);
  let ended = parts.ended;
  while (!ended) {
    let frame = "";
    try {
      const arrival = await reader.next(keepAliveMs);
      if (arrival === "quiet") frame = COMMENT;
      else if (arrival.done === true) ended = true;
      else frame = framing.message(parts.json(arrival.value), arrival.value);
    } catch (error) {
      frame = framing.failure(parts.failure(error));
      ended = true;
    }
    if (frame !== "") yield UTF8.encode(frame);
  }
  if (framing.end !== "") yield UTF8.encode(framing.end);
}

/** The body of a stream of HttpBody: its bytes, one after the other. A failure breaks the body off. */
export async function* rawStreamBody(
  reader: MessageReader,
  first: Arrival,
  data: (message: Message) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  let arrival = first;
  while (arrival !== "quiet" && arrival.done !== true) {
    yield data(arrival.value);
    arrival = await reader.next();
  }
}

/**
 * Closes the call with its body: quietly when the body has ended, by aborting it when the body failed or its
 * reader turned away, even in the middle of a wait.
 */
export function released(
  body: AsyncGenerator<Uint8Array>,
  call: { readonly reader: MessageReader; readonly lifetime: { end(): void; abandon(): void } },
): AsyncIterable<Uint8Array> {
  const close = (how: "end" | "abandon") => {
    call.lifetime[how]();
    call.reader.close();
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        try {
          const result = await body.next();
          if (result.done === true) close("end");
          return result;
        } catch (error) {
          close("abandon");
          throw error;
        }
      },
      return: async () => {
        close("abandon");
        return body.return(undefined);
      },
    }),
  };
}
