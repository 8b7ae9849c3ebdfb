import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { UpdateQueueRequestSchema } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { requireValid } from "@orrery/mesh/transport/validation";
import { KEYS, startTestBed, type TestBed } from "./gateway-factory.ts";

let bed: TestBed;
beforeAll(async () => {
  bed = await startTestBed({
    queues: {
      updateQueue: async (request) => {
        requireValid(UpdateQueueRequestSchema, create(UpdateQueueRequestSchema, request));
        return {};
      },
    },
  });
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
});

test.each([
  ["of a service", "q", { concurrency: -1 }, "concurrency"],
  ["of a service, further down", "q", { rate: { limit: -1 } }, "rate.limit"],
  ["of the edge", "q", { foo: 1 }, "foo"],
  ["of the edge, further down", "q", { rate: { limit: "many" } }, "rate.limit"],
  ["about the body as a whole", "q", [], ""],
  ["about the path", "-q", { concurrency: 1 }, "queue.name"],
  ["about the query", "q?queue.concurrency=1", {}, "queue.concurrency"],
])(
  "a refusal %s names the field as the caller of a queue's change wrote it",
  async (_, target, body, field) => {
    const refused = await fetch(`${bed.url}/v1/queues/${target}`, {
      ...{ method: "PATCH", body: JSON.stringify(body) },
      headers: { authorization: `Bearer ${KEYS.all}`, "content-type": "application/json" },
    });
    const problem = (await refused.json()) as { detail: string; fieldViolations: { field: string }[] };
    expect([refused.status, problem.fieldViolations.map((one) => one.field)]).toEqual([400, [field]]);
    expect(problem.detail).toMatch(field === "" ? /^[^.:]+$/ : new RegExp(`^${field}: `));
  },
);
