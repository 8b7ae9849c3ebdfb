import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { expect, test } from "@jest/globals";
import { systemClock } from "@orrery/mesh/time/clock";
import { answerClientError, parserFault } from "../../src/http/client-error.ts";

test.each([
  ["HPE_HEADER_OVERFLOW", "HEADERS_TOO_LARGE"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "REQUEST_TIMEOUT"],
  ["HPE_INVALID_METHOD", "INVALID_REQUEST"],
  [undefined, "INVALID_REQUEST"],
])("the parser's %s is our %s", (code, reason) => {
  expect(parserFault(code).reason).toBe(reason);
});

test.each([
  ["HPE_HEADER_OVERFLOW", "The request line and the headers may have at most 16384 bytes together."],
  ["ERR_HTTP_REQUEST_TIMEOUT", "The headers have to arrive within 10 s, the whole request within 30 s."],
])("the refusal for the parser's %s names its limit", (code, detail) => {
  expect(parserFault(code).message).toBe(detail);
});

test("however much follows a request under way, its answer is waited for once, and is the last", () => {
  const request = new IncomingMessage(new Socket());
  request.complete = true;
  const underWay = new ServerResponse(request);
  const socket = new PassThrough();
  for (let piece = 0; piece < 20; piece += 1)
    answerClientError(new Error("Parse Error"), socket, {
      publicUrl: "http://x",
      clock: systemClock,
      underWay,
    });
  expect(underWay.listenerCount("close")).toBe(1);
  expect([underWay.shouldKeepAlive, socket.destroyed]).toEqual([false, false]);
  underWay.emit("close");
  expect(socket.destroyed).toBe(true);
});
