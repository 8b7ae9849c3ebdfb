import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, startTestBed } from "./gateway-factory.ts";

// With a collector the preload of every process registers a tracer, whose gRPC instrumentation writes the
// traceparent of the active span into each call, over the one that was there. Nobody listens at this address:
// spans are made all the same.
process.env.ORRERY_OTLP_URL = "http://127.0.0.1:9/v1/traces";
createRequire(import.meta.url)("../../../mesh/chassis/src/telemetry/preload.cjs");

test("a call behind the edge belongs to the trace of the request, with a tracer registered too", async () => {
  const jobs = new FakeJobs();
  await using bed = await startTestBed({ jobs: jobs.implementation });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const headers = { ...auth(), traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  const response = await fetch(`${bed.url}/v1/jobs/0190b0a0-0000-7000-8000-000000000000`, { headers });
  expect(response.headers.get("traceparent")).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)`));
  expect(await response.json()).toMatchObject({ traceId });
  expect(jobs.calls[0]?.traceparent).toContain(traceId);
  const own = await fetch(`${bed.url}/v1/jobs/0190b0a0-0000-7000-8000-000000000000`, {
    headers: { authorization: headers.authorization },
  });
  const { traceId: made } = (await own.json()) as { traceId: string };
  expect(jobs.calls[1]?.traceparent).toContain(made);
});
