import { create } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { UpdateQueueRequestSchema } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import { requireValid } from "@orrery/mesh/transport/validation";
import { auth, sharedTestBed } from "./gateway-factory.ts";

const OWN_WORDS = "queue 'q' takes no such change today";

const bed = sharedTestBed({
  queues: {
    updateQueue: async (request) => {
      requireValid(UpdateQueueRequestSchema, create(UpdateQueueRequestSchema, request));
      if (request.queue?.concurrency === 7) {
        const fieldViolations = [{ field: "queue", description: "takes no such change today" }];
        throw new Fault("INVALID_REQUEST", { detail: OWN_WORDS, fieldViolations });
      }
      return {};
    },
  },
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
    const refused = await fetch(`${bed().url}/v1/queues/${target}`, {
      ...{ method: "PATCH", body: JSON.stringify(body) },
      headers: { ...auth(), "content-type": "application/json" },
    });
    const problem = (await refused.json()) as { detail: string; fieldViolations: { field: string }[] };
    expect([refused.status, problem.fieldViolations.map((one) => one.field)]).toEqual([400, [field]]);
    expect(problem.detail).toMatch(field === "" ? /^[^.:]+$/ : new RegExp(`^${field}: `));
  },
);

test("a refusal in a service's own words keeps them, and names the field alone as the caller wrote it", async () => {
  const refused = await fetch(`${bed().url}/v1/queues/q`, {
    ...{ method: "PATCH", body: JSON.stringify({ concurrency: 7 }) },
    headers: { ...auth(), "content-type": "application/json" },
  });
  const fieldViolations = [expect.objectContaining({ field: "" })];
  expect(await refused.json()).toMatchObject({ detail: OWN_WORDS, fieldViolations });
});
