import type { ServerResponse } from "node:http";
import type { TranscoderResponse } from "@orrery/transcoder";
import { mediaRanges, takesAnything } from "../http/accept.ts";
import { FIRST_ERROR, sendStreamBody } from "../http/answer.ts";
import type { Exchange } from "../http/exchange.ts";
import { LIMITS } from "../http/limits.ts";

const EVENT_STREAM = { "content-type": "text/event-stream", "cache-control": "no-store" };

/**
 * Sends the head of an event stream as soon as its service has admitted it, although nothing has happened
 * yet: the client then knows that from here on nothing is left out.
 */
export class EarlyHead {
  readonly #exchange: Exchange;
  readonly #response: ServerResponse;
  #timer: NodeJS.Timeout | undefined;

  constructor(exchange: Exchange, response: ServerResponse) {
    this.#exchange = exchange;
    this.#response = response;
  }

  schedule(): void {
    const accept = this.#exchange.header("accept");
    if (!takesAnything(accept) && !mediaRanges(accept).includes("text/event-stream")) return;
    this.#timer ??= setTimeout(() => this.#send(), LIMITS.earlyHeadMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  /** Goes on after the head with what the transcoder made; what is an error by then is the last frame. */
  async continueWith(transcoded: TranscoderResponse): Promise<void> {
    if (transcoded.status < FIRST_ERROR)
      return sendStreamBody(this.#exchange, this.#response, transcoded.body);
    const chunks: Uint8Array[] = [];
    for await (const chunk of transcoded.body) chunks.push(chunk);
    this.#response.end(`event: error\ndata: {"error":${Buffer.concat(chunks).toString()}}\n\n`);
  }

  #send(): void {
    if (this.#response.headersSent || this.#response.destroyed) return;
    this.#response.writeHead(200, { ...EVENT_STREAM, ...this.#exchange.answerHeaders });
    this.#response.flushHeaders();
  }
}
