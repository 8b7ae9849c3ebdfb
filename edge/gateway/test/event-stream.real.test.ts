import { get as httpGet } from "node:http";
import { beforeEach, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import type { Call } from "@orrery/mesh/transport/call";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, sharedTestBed, startTestBed } from "./gateway-factory.ts";

const jobs = new FakeJobs();
const bed = sharedTestBed({
  jobs: jobs.implementation,
  observatory: {
    watchEvents: silence,
  },
});
beforeEach(() => {
  jobs.calls.length = 0;
});

/** A stream that is admitted and says nothing until its caller goes away. */
function silence(_: unknown, call: Call): AsyncIterable<never> {
  call.accept();
  const ended = new Promise<IteratorResult<never>>((resolve) =>
    call.signal.addEventListener("abort", () => resolve({ done: true, value: undefined })),
  );
  return { [Symbol.asyncIterator]: () => ({ next: () => ended }) };
}

const watch = (path: string, headers: Record<string, string> = {}) =>
  fetch(bed().url + path, { headers: { ...auth(), ...headers } });

async function submitted(task: string): Promise<string> {
  const response = await fetch(`${bed().url}/v1/jobs`, {
    ...{ method: "POST", body: JSON.stringify({ task }) },
    headers: { ...auth(), "content-type": "application/json" },
  });
  return ((await response.json()) as { id: string }).id;
}

test.each([
  ["no Accept but the wildcard", {}],
  ["text/event-stream", { accept: "text/event-stream" }],
])("a watch with %s is an event stream, from the snapshot to the end", async (_, headers) => {
  const response = await watch(`/v1/jobs/${await submitted("ends")}:watch`, headers);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(response.headers.get("content-encoding")).toBeNull();
  const frames = (await response.text()).trim().split("\n\n");
  expect(frames[0]).toMatch(/^id: 1\nevent: snapshot\ndata: \{"id":/);
  expect(frames[1]).toBe('id: 2\nevent: JobSucceeded\ndata: {"aggregateVersion":2}');
});

test("a resume passes Last-Event-ID on and gets no snapshot", async () => {
  const response = await watch(`/v1/jobs/${await submitted("ends")}:watch`, { "last-event-id": "1" });
  expect(await response.text()).toMatch(/^id: 2\nevent: JobSucceeded/);
});

test("a resume at the end gets 204, so that an EventSource does not come back", async () => {
  const id = await submitted("ends");
  const response = await watch(`/v1/jobs/${id}:watch`, { "last-event-id": "2", accept: "text/event-stream" });
  expect(response.status).toBe(204);
  expect(await response.text()).toBe("");
});

test("a watch of a job that is not there is an ordinary error", async () => {
  const response = await watch("/v1/jobs/0190b0a0-0000-7000-8000-000000000000:watch");
  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toMatchObject({ reason: "NOT_FOUND" });
});

test.each(["/v1/events:watch", "silent job"])(
  "the head of %s is there before anything happens",
  async (path) => {
    const target = path.startsWith("/") ? path : `/v1/jobs/${await submitted("silent")}:watch`;
    const controller = new AbortController();
    const startedMs = performance.now();
    const response = await fetch(bed().url + target, { headers: auth(), signal: controller.signal });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    controller.abort();
  },
);

test("a client that goes away ends the call behind it", async () => {
  const id = await submitted("waits");
  const before = jobs.cancelledWatches;
  const controller = new AbortController();
  const response = await fetch(`${bed().url}/v1/jobs/${id}:watch`, {
    ...{ headers: auth(), signal: controller.signal },
  });
  expect(response.status).toBe(200);
  controller.abort();
  await eventually(() => expect(jobs.cancelledWatches).toBe(before + 1));
});

test("a watch that nobody admits is a 503 while the service is silent, and waits otherwise", async () => {
  const id = await submitted("hangs");
  bed().setReady(false);
  const response = await watch(`/v1/jobs/${id}:watch`);
  bed().setReady(true);
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("1");
  const controller = new AbortController();
  const waiting = await fetch(`${bed().url}/v1/jobs/${id}:watch`, {
    headers: auth(),
    signal: controller.signal,
  });
  expect(waiting.status).toBe(200);
  controller.abort();
});

test("a watch as lines of JSON has one message a line", async () => {
  const id = await submitted("ends");
  const response = await watch(`/v1/jobs/${id}:watch`, { accept: "application/x-ndjson" });
  const lines = (await response.text()).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { id, version: 1 },
    { aggregateVersion: 2 },
  ]);
});

test("a gateway that stops ends its streams, and their clients see an ordinary end", async () => {
  const own = await startTestBed({
    observatory: {
      watchEvents: silence,
    },
  });
  const ended = new Promise<boolean>((resolve, reject) => {
    const request = httpGet(`${own.url}/v1/events:watch`, { headers: auth() }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.complete));
      void own[Symbol.asyncDispose]();
    });
    request.once("error", reject);
  });
  expect(await ended).toBe(true);
});
