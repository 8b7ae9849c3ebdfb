import { describe, expect, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { systemClock } from "@orrery/mesh/time/clock";
import { readEvent } from "../../src/adapters/events/event-reader.ts";
import type { ReadModel } from "../../src/application/ports.ts";
import { readAttempts, readDocument, readHistory } from "../../src/application/read-document.ts";
import type { Projection } from "../../src/domain/projection.ts";
import { embeddedReadModel } from "../embedded-factory.ts";
import { eventText } from "../event-factory.ts";
import { NOON_MS, projectionOf, searchedJob, uuidAt } from "../projection-factory.ts";

const ID = uuidAt(NOON_MS, 7);
const ASKED = {
  project: "demo",
  id: ID,
  minVersion: 0,
  consistencyToken: "",
  signal: new AbortController().signal,
};

function projected(
  version: number,
  name: string,
  job: Record<string, unknown>,
  attempt?: unknown,
): Projection {
  const text = eventText({ id: ID, version, name, timeMs: NOON_MS + version }, job, { attempt });
  const reading = readEvent(text);
  if ("deadLetter" in reading) throw new Error(reading.deadLetter);
  return reading.projection;
}

const LIFE = [
  projected(1, "JobQueued", { input: { n: [1, null, "é"] } }),
  projected(2, "JobStarted", { status: "RUNNING" }, { attempt: 1, status: "RUNNING", worker: "w-1" }),
  projected(3, "JobAttemptLost", {}, { attempt: 1, status: "LOST", worker: "w-1" }),
  projected(4, "JobStarted", { status: "RUNNING" }, { attempt: 2, status: "RUNNING", worker: "w-2" }),
  projected(5, "JobSucceeded", { status: "SUCCEEDED", output: "done" }, { attempt: 2, status: "SUCCEEDED" }),
];

test("D2: a job has its first event's input and its last one's output, whatever order they came in", async () => {
  await using world = await embeddedReadModel();
  for (const projection of LIFE.toReversed()) await world.readModel.apply([projection, projection]);
  const job = await readDocument({ readModel: world.readModel, clock: systemClock }, "job")(ASKED);
  expect(JSON.parse(job.body)).toMatchObject({ id: ID, status: "SUCCEEDED", version: 5 });
  expect([job.input, job.output]).toEqual([{ n: [1, null, "é"] }, "done"]);
});

test("each attempt is as the last event about it left it", async () => {
  await using world = await embeddedReadModel();
  await world.readModel.apply(LIFE.toReversed());
  const deps = { readModel: world.readModel, clock: systemClock };
  const { attempts, complete } = await readAttempts(deps)(ASKED);
  expect(complete).toBe(true);
  expect(attempts).toMatchObject([
    { attempt: 1, status: "LOST" },
    { attempt: 2, status: "SUCCEEDED" },
  ]);
});

test("the history goes page by page, gapless", async () => {
  await using world = await embeddedReadModel();
  await world.readModel.apply(LIFE);
  const read = readHistory({ readModel: world.readModel, clock: systemClock }, "job");
  const first = await read({ ...ASKED, pageSize: 2, pageToken: "" });
  const second = await read({ ...ASKED, pageSize: 100, pageToken: first.nextPageToken });
  expect([...first.events, ...second.events].map((event) => event.version)).toEqual([1, 2, 3, 4, 5]);
  expect(second.nextPageToken).toBe("");
  const foreign = { ...ASKED, id: uuidAt(NOON_MS, 8), pageSize: 2, pageToken: first.nextPageToken };
  await expect(read(foreign)).rejects.toMatchObject({ reason: "INVALID_PAGE_TOKEN" });
});

test("a job that is not there, or another project's, is NOT_FOUND", async () => {
  await using world = await embeddedReadModel();
  await world.readModel.apply(LIFE);
  const deps = { readModel: world.readModel, clock: systemClock };
  const asked = { ...ASKED, project: "other" };
  await expect(readDocument(deps, "job")(asked)).rejects.toMatchObject({ reason: "NOT_FOUND" });
  await expect(readAttempts(deps)(asked)).rejects.toMatchObject({ reason: "NOT_FOUND" });
  await expect(readHistory(deps, "job")({ ...asked, pageSize: 0, pageToken: "" })).rejects.toMatchObject({
    reason: "NOT_FOUND",
  });
});

test("a read waits for the version that it was asked for", async () => {
  await using world = await embeddedReadModel();
  await world.readModel.apply(LIFE.slice(0, 1));
  const reading = readDocument(
    { readModel: world.readModel, clock: systemClock },
    "job",
  )({ ...ASKED, minVersion: 5 });
  await world.readModel.apply(LIFE);
  expect(JSON.parse((await reading).body)).toMatchObject({ version: 5 });
});

describe("a job whose newest event came before an older one", () => {
  const gap = (missing: number) => LIFE.filter(({ document }) => document.version !== missing);

  test.each([1, 2, 3, 4])("is given out only once version %i has come", async (missing) => {
    await using world = await embeddedReadModel();
    const { readModel } = world;
    await readModel.apply(gap(missing));
    let given = false;
    const deps = { readModel, clock: systemClock };
    const reading = readDocument(deps, "job")({ ...ASKED, minVersion: 5 });
    void reading.then(() => {
      given = true;
    });
    const early = await readAttempts(deps)(ASKED);
    const page = await readHistory(deps, "job")({ ...ASKED, pageSize: 0, pageToken: "" });
    expect([given, early.complete, page.complete]).toEqual([false, false, false]);
    await readModel.apply(LIFE.filter(({ document }) => document.version === missing));
    const job = await reading;
    expect([job.input, job.output, job.complete]).toEqual([{ n: [1, null, "é"] }, "done", true]);
    const whole = await readAttempts(deps)(ASKED);
    expect([whole.complete, whole.attempts.length]).toEqual([true, 2]);
  });

  test("is PROJECTION_BEHIND after 3 seconds, asked for a version or not", async () => {
    await using world = await embeddedReadModel();
    const clock = new ManualClock(NOON_MS);
    await world.readModel.apply(gap(1));
    const read = readDocument({ readModel: world.readModel, clock }, "job");
    const turning = setInterval(() => clock.advance(1_000), 10);
    try {
      for (const minVersion of [0, 5]) {
        await expect(read({ ...ASKED, minVersion })).rejects.toMatchObject({ reason: "PROJECTION_BEHIND" });
      }
    } finally {
      clearInterval(turning);
    }
  });

  test("is PROJECTION_BEHIND after 3 seconds in all where the read waited for another write first", async () => {
    await using world = await embeddedReadModel();
    const clock = new ManualClock(NOON_MS);
    await world.readModel.apply(gap(1));
    const other = searchedJob(9);
    const readModel: ReadModel = {
      ...world.readModel,
      async find(kind, project, id) {
        if (clock.monotonicMs() === 2_000) await world.readModel.apply([projectionOf(other)]);
        clock.advance(500);
        return world.readModel.find(kind, project, id);
      },
    };
    const consistencyToken = Buffer.from(`${other.id}:1`).toString("base64url");
    const reading = readDocument({ readModel, clock }, "job")({ ...ASKED, consistencyToken });
    await expect(reading).rejects.toMatchObject({ message: expect.stringContaining(ID) });
    expect(clock.monotonicMs()).toBe(3_000);
  });

  test("is given as it is, and said to be incomplete, where events of its time are kept no more", async () => {
    await using world = await embeddedReadModel();
    const clock = new ManualClock(NOON_MS + 8 * 86_400_000);
    await world.readModel.apply(gap(1));
    const job = await readDocument({ readModel: world.readModel, clock }, "job")({ ...ASKED, minVersion: 5 });
    expect([job.input, job.output, job.complete]).toEqual([undefined, "done", false]);
  });
});
