import { create } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import {
  type WorkResponse,
  WorkResponseSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { withDrain } from "../../src/rpc/work-drain.ts";

const registered = (sequence: number): WorkResponse =>
  create(WorkResponseSchema, { sequence, message: { case: "registered", value: { heartbeatSeconds: 5 } } });

test("a worker is told once to go elsewhere, between two messages, and the stream goes on", async () => {
  const draining = new AbortController();
  const second = Promise.withResolvers<void>();
  let closed = false;
  async function* engine() {
    try {
      yield registered(1);
      await second.promise;
      yield registered(2);
    } finally {
      closed = true;
    }
  }
  const answers = withDrain(engine(), draining.signal)[Symbol.asyncIterator]();
  expect((await answers.next()).value).toMatchObject({ sequence: 1 });
  const next = answers.next();
  draining.abort();
  expect((await next).value).toMatchObject({ message: { case: "drain" } });
  second.resolve();
  expect((await answers.next()).value).toMatchObject({ sequence: 2 });
  expect((await answers.next()).done).toBe(true);
  expect(closed).toBe(true);
});

test("a worker that comes while the gateway stops is told at once", async () => {
  async function* engine() {
    yield registered(1);
  }
  const answers = withDrain(engine(), AbortSignal.abort())[Symbol.asyncIterator]();
  expect((await answers.next()).value).toMatchObject({ message: { case: "drain" } });
  expect((await answers.next()).value).toMatchObject({ sequence: 1 });
});

test("the failure of the engine's stream passes, and a worker that leaves ends it", async () => {
  async function* failing(): AsyncIterable<WorkResponse> {
    yield registered(1);
    throw new Error("gone");
  }
  const answers = withDrain(failing(), new AbortController().signal)[Symbol.asyncIterator]();
  await answers.next();
  await expect(answers.next()).rejects.toThrow("gone");
});
