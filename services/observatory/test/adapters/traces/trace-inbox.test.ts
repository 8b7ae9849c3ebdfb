import { expect, test } from "@jest/globals";
import { createMetrics } from "@orrery/mesh/telemetry/metrics";
import { WORKLOADS } from "@orrery/mesh/topology";
import { traceInbox } from "../../../src/adapters/traces/trace-inbox.ts";
import { NO_TRACES } from "../../../src/adapters/traces/trace-store.ts";

const inbox = () => traceInbox(NO_TRACES, createMetrics({ service: "observatory", defaults: false }));

test("every workload of the topology may send its spans, and nobody else", () => {
  expect([...inbox().from].sort()).toEqual(WORKLOADS.map(({ name }) => name).sort());
});

test("what is no OTLP message is refused for good", async () => {
  expect(await inbox().take(Buffer.from("spans"))).toMatchObject({ status: 400 });
});
