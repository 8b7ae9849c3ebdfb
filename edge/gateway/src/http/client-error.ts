import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { answerHeadersOf, requestTrace } from "./exchange.ts";
import { LIMITS } from "./limits.ts";
import { errorAnswer } from "./problem.ts";

/** The fault behind an error of Node's HTTP parser, by its code. */
export function parserFault(code: string | undefined): Fault {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new Fault("HEADERS_TOO_LARGE", {
        detail: `The request line and the headers may have at most ${LIMITS.headerBytes} bytes together.`,
      });
    case "ERR_HTTP_REQUEST_TIMEOUT":
      // Node has one code for late headers and a late body.
      return new Fault("REQUEST_TIMEOUT", {
        detail:
          `The headers have to arrive within ${LIMITS.headersTimeoutMs / 1_000} s, ` +
          `the whole request within ${LIMITS.requestTimeoutMs / 1_000} s.`,
      });
    default:
      return new Fault("INVALID_REQUEST", { detail: "This is not an HTTP/1.1 request." });
  }
}

/** Answers after which their connection is closed, because of what came behind their request. */
const lastOnes = new WeakSet<ServerResponse>();

/**
 * Answers a connection whose request could not be read, by hand because there is no request to answer, and
 * closes it: what follows on it cannot be told apart from what was malformed.
 */
export function answerClientError(
  error: Error & { code?: string },
  socket: Duplex,
  about: { publicUrl: string; clock: Clock; underWay: ServerResponse | undefined },
): void {
  const { underWay } = about;
  if (underWay?.req.complete === true && !underWay.writableFinished && socket.writable) {
    // Answers come in the order of the requests (RFC 9112, 9.3.2): what was asked before has its own, and is the last.
    underWay.shouldKeepAlive = false;
    // Node tells of every piece that follows what is malformed.
    if (!lastOnes.has(underWay)) underWay.once("close", () => socket.destroy());
    lastOnes.add(underWay);
    return;
  }
  // In the middle of another answer of this connection, more bytes would be taken for a part of that answer.
  const midAnswer = underWay?.headersSent === true && !underWay.writableFinished;
  if (midAnswer || !socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const trace = requestTrace(() => undefined, about.clock);
  const place = { edge: about.publicUrl, instance: "", traceId: trace.traceId };
  const { status, headers, body } = errorAnswer(parserFault(error.code), place, undefined);
  const lines = Object.entries({
    ...headers,
    ...answerHeadersOf(trace),
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, ...lines, "", body].join("\r\n"));
}
