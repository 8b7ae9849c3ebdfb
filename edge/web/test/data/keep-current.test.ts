import { afterEach, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { QueryClient } from "@tanstack/react-query";
import type { Job } from "../../src/api/contract.ts";
import { keepCurrent } from "../../src/data/keep-current.ts";
import { createLiveFeed } from "../../src/live/live-feed.ts";
import { sampleEvent, sampleId, sampleJob } from "../stand-in/sample-jobs.ts";

const OPEN_MISSION = sampleId(1, "7a00");
const OTHER_MISSION = sampleId(2, "7a00");

let end: (() => Promise<void>) | undefined;
afterEach(() => end?.());

/** A cache that is kept current while the overview and one mission are open. */
function openPage() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const stream = writable.getWriter();
  const feed = createLiveFeed({ batchMs: 5, open: async () => new Response(readable) });
  const queries = new QueryClient();
  const stopKeeping = keepCurrent(queries, feed);
  end = () => {
    stopKeeping();
    feed.close();
    queries.clear();
    return stream.close();
  };
  const isOld = (...key: readonly string[]) => queries.getQueryState(key)?.isInvalidated;
  return {
    isOld,
    /** Reads what is open, and sends an event of a job; returns once what it made old is known. */
    async change(about: Partial<Job>): Promise<void> {
      queries.setQueryData(["overview"], {});
      queries.setQueryData(["waiting jobs", OPEN_MISSION], {});
      const job = { ...sampleJob(1), ...about };
      const event = sampleEvent("JobStarted", { job }, { id: job.id, version: job.version });
      await stream.write(new TextEncoder().encode(`id: 1\ndata: ${JSON.stringify(event)}\n\n`));
      await eventually(() => expect(isOld("overview")).toBe(true), { withinMs: 5_000 });
    },
  };
}

test("what a mission waits for is read again for its own jobs alone", async () => {
  const { change, isOld } = openPage();
  await change({ missionId: "" });
  expect(isOld("waiting jobs", OPEN_MISSION)).toBe(false);
  await change({ missionId: OTHER_MISSION });
  expect(isOld("waiting jobs", OPEN_MISSION)).toBe(false);
  await change({ missionId: OPEN_MISSION });
  expect(isOld("waiting jobs", OPEN_MISSION)).toBe(true);
});
