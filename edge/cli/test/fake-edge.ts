import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came. */
export interface Came {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Answer = (came: Came, response: ServerResponse) => void;

/**
 * An edge that answers what a test says, over real HTTP. A route that a test did not name is a 404 problem.
 */
export interface FakeEdge extends AsyncDisposable {
  readonly url: string;
  readonly came: Came[];
}

/** @param routes - by method and path, as in `GET /v1/jobs` */
export async function fakeEdge(routes: Readonly<Record<string, Answer>>): Promise<FakeEdge> {
  const came: Came[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://edge");
      const one = {
        method: request.method ?? "",
        path: pathname,
        query: searchParams,
        headers: request.headers,
        body,
      };
      came.push(one);
      const answer = routes[`${one.method} ${decodeURIComponent(pathname)}`];
      if (answer === undefined) problem(404, "ROUTE_NOT_FOUND", "There is no such route")(one, response);
      else answer(one, response);
    });
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    came,
    [Symbol.asyncDispose]: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

export const json =
  (body: unknown, status = 200): Answer =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };

export const problem =
  (status: number, reason: string, title: string, more: object = {}): Answer =>
  (_, response) => {
    const body = { status, reason, title, traceId: "7f3a", ...more };
    response.writeHead(status, { "content-type": "application/problem+json" }).end(JSON.stringify(body));
  };

/** Answers in turn, the last one for ever. */
export const inTurn = (...answers: readonly Answer[]): Answer => {
  let turn = 0;
  return (came, response) => answers[Math.min(turn++, answers.length - 1)]?.(came, response);
};

/** A stream of frames; `open` leaves it open after the last. */
export const frames =
  (sent: readonly { id: string; event: string; data: unknown }[], { open = false } = {}): Answer =>
  (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": hello\n\n");
    for (const { id, event, data } of sent) {
      response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }
    if (!open) response.end();
  };

/** An event's frame, as the edge writes it. */
export const eventFrame = (version: number, event: string, job: object, attempt?: object) => ({
  id: String(version),
  event,
  data: {
    eventType: `orrery.events.v1.jobs.${event}`,
    occurredAt: "2026-01-01T10:20:30.000Z",
    payload: { job, attempt },
  },
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
