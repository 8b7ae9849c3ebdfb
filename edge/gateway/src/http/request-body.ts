import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * The body of a request, to be read or left alone. Leaving it unread keeps the connection for the answer, and
 * a client that asked `Expect: 100-continue` is told to go on at the first read only: one that is refused
 * sends nothing.
 */
export function requestBody(
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      if (expectsContinue && !response.headersSent) response.writeContinue();
      return request.iterator({ destroyOnReturn: false });
    },
  };
}
