import { describe, expect, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { systemClock } from "@orrery/mesh/time/clock";
import { type ListRequest, listDocuments } from "../../src/application/list-documents.ts";
import { embeddedReadModel } from "../embedded-factory.ts";
import { NOON_MS, projectionOf, searchedJob } from "../projection-factory.ts";

const REQUEST: ListRequest = {
  project: "demo",
  q: "",
  orderBy: "",
  pageSize: 0,
  pageToken: "",
  consistencyToken: "",
  signal: new AbortController().signal,
};
const token = (id: string, version: number) => Buffer.from(`${id}:${version}`).toString("base64url");

describe("listing jobs", () => {
  test("pages go on where the last one ended, and the page size may change on the way", async () => {
    await using world = await embeddedReadModel();
    const list = listDocuments({ readModel: world.readModel, clock: systemClock }, "job");
    const jobs = [1, 2, 3, 4, 5].map((number) => searchedJob(number, { createMs: NOON_MS + number }));
    await world.readModel.apply(jobs.map((job) => projectionOf(job)));
    const first = await list({ ...REQUEST, pageSize: 2 });
    const second = await list({ ...REQUEST, pageSize: 3, pageToken: first.nextPageToken });
    const ids = [...first.documents, ...second.documents].map((job) => job.id);
    expect(ids).toEqual(jobs.map((job) => job.id).reverse());
    expect([second.nextPageToken, second.totalSize, second.totalExact]).toEqual(["", 5, true]);
  });

  test("a token with another query, order or project is refused", async () => {
    await using world = await embeddedReadModel();
    const list = listDocuments({ readModel: world.readModel, clock: systemClock }, "job");
    await world.readModel.apply([1, 2].map((number) => projectionOf(searchedJob(number))));
    const { nextPageToken: pageToken } = await list({ ...REQUEST, pageSize: 1 });
    expect(pageToken).not.toBe("");
    const changes = [
      { q: "queue:default" },
      { orderBy: "priority" },
      { project: "other" },
      { pageToken: "x" },
    ];
    for (const change of changes) {
      await expect(list({ ...REQUEST, pageToken, ...change })).rejects.toMatchObject({
        reason: "INVALID_PAGE_TOKEN",
      });
    }
  });

  test("relative times count from the first page on", async () => {
    await using world = await embeddedReadModel();
    const clock = new ManualClock(NOON_MS);
    const list = listDocuments({ readModel: world.readModel, clock }, "job");
    const jobs = [1, 2].map((number) => searchedJob(number, { createMs: NOON_MS - number * 1_000 }));
    await world.readModel.apply(jobs.map((job) => projectionOf(job)));
    const request = { ...REQUEST, q: "created:>-1m", pageSize: 1 };
    const first = await list(request);
    clock.advance(3_600_000);
    const second = await list({ ...request, pageToken: first.nextPageToken });
    expect(second.documents.map((job) => job.id)).toEqual([jobs[1]?.id]);
    expect((await list(request)).documents).toEqual([]);
  });

  test("a query that cannot be read is refused with its column and caret", async () => {
    await using world = await embeddedReadModel();
    const list = listDocuments({ readModel: world.readModel, clock: systemClock }, "job");
    await expect(list({ ...REQUEST, q: "statsu:x" })).rejects.toMatchObject({
      reason: "INVALID_QUERY",
      message: expect.stringMatching(/did you mean status\? \(column 1\)\nstatsu:x\n\^{6}$/),
    });
    await expect(list({ ...REQUEST, orderBy: "status" })).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
    });
  });

  test("a list waits for the write that a consistency token names", async () => {
    await using world = await embeddedReadModel();
    const list = listDocuments({ readModel: world.readModel, clock: systemClock }, "job");
    const job = searchedJob(1);
    const waiting = list({ ...REQUEST, consistencyToken: token(job.id, 1) });
    await world.readModel.apply([projectionOf(job)]);
    expect((await waiting).documents.map((found) => found.id)).toEqual([job.id]);
    await expect(list({ ...REQUEST, consistencyToken: "x" })).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
    });
  });

  test("a write that does not come within 3 seconds is PROJECTION_BEHIND", async () => {
    await using world = await embeddedReadModel();
    const clock = new ManualClock(NOON_MS);
    const list = listDocuments({ readModel: world.readModel, clock }, "job");
    const waiting = list({ ...REQUEST, consistencyToken: token(searchedJob(1).id, 1) });
    const turning = setInterval(() => clock.advance(1_000), 10);
    try {
      await expect(waiting).rejects.toMatchObject({ reason: "PROJECTION_BEHIND" });
    } finally {
      clearInterval(turning);
    }
  });
});
