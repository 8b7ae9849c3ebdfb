import { isDeepStrictEqual } from "node:util";
import type { Platform } from "../../dev/testing/platform.ts";
import { eachOf } from "./each-of.ts";
import type { Journal } from "./journal.ts";

/** What a run left behind, in figures. Every figure of `wrong` has to be 0. */
export interface Findings {
  readonly jobs: number;
  readonly succeeded: number;
  readonly attemptsLost: number;
  readonly wrong: {
    readonly lost: number;
    readonly doubled: number;
    readonly notEnded: number;
    readonly histories: number;
    readonly attempts: number;
    readonly readModel: number;
  };
}

const ENDS = new Set(["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"]);

/** Waits until no job of the run is open, at most `withinMs`. */
export async function settled(platform: Platform, journal: Journal, withinMs: number): Promise<void> {
  const end = Date.now() + withinMs;
  const open = new Set(journal.entries.map(({ id }) => id ?? ""));
  while (open.size > 0) {
    await eachOf([...open], async (id) => {
      const { status, body } = await platform.persist("GET", `/v1/jobs/${id}`);
      if (status === 404 || ENDS.has(body.status)) open.delete(id);
    });
    if (open.size > 0 && Date.now() > end) return;
    if (open.size > 0) await new Promise((done) => setTimeout(done, 500));
  }
}

/**
 * Holds the platform against the client's journal: I1 (every accepted job exists once and ended once), I4 and I5
 * (attempts without a gap, one outcome each), I8 (versions without a gap), I14 (the read model equals the store).
 */
export async function verify(platform: Platform, journal: Journal, run: string): Promise<Findings> {
  const wrong = { lost: 0, doubled: 0, notEnded: 0, histories: 0, attempts: 0, readModel: 0 };
  let succeeded = 0;
  let attemptsLost = 0;
  const ids = journal.entries.flatMap(({ id }) => (id === undefined ? [] : [id]));
  await eachOf(ids, async (id) => {
    const { status, body: job } = await platform.persist("GET", `/v1/jobs/${id}`);
    if (status !== 200) {
      wrong.lost += 1;
      return;
    }
    if (!ENDS.has(job.status)) wrong.notEnded += 1;
    if (job.status === "SUCCEEDED") succeeded += 1;
    const { body: history } = await platform.persist("GET", `/v1/jobs/${id}/history?pageSize=1000`);
    const versions = history.events.map((event: { aggregateVersion: number }) => event.aggregateVersion);
    const gapless =
      versions.length === job.version && versions.every((version: number, at: number) => version === at + 1);
    const ends = history.events.filter((event: { payload: { job: { status: string } } }) =>
      ENDS.has(event.payload.job.status),
    );
    if (!gapless || ends.length !== 1) wrong.histories += 1;
    const { body: tried } = await platform.persist("GET", `/v1/jobs/${id}/attempts`);
    const statuses: string[] = tried.attempts.map((attempt: { status: string }) => attempt.status);
    attemptsLost += statuses.filter((one) => one === "LOST").length;
    if (statuses.length !== job.attempt || statuses.includes("RUNNING")) wrong.attempts += 1;
    // A read model that is behind says so with 504: equal is asked of what it shows once it has caught up.
    const mirrored = await platform.persist("GET", `/v1/observatory/jobs/${id}?minVersion=${job.version}`);
    if (mirrored.status !== 200 || !isDeepStrictEqual(mirrored.body, job)) wrong.readModel += 1;
  });
  const q = encodeURIComponent(`label.chaos:${run}`);
  const { body: listed } = await platform.persist("GET", `/v1/jobs?q=${q}&pageSize=1`);
  wrong.doubled = Math.abs(listed.totalSize - new Set(ids).size) + (ids.length - new Set(ids).size);
  return { jobs: ids.length, succeeded, attemptsLost, wrong };
}

/** Waits until nothing waits to be published, at most 60 s. */
export async function outboxPublished(platform: Platform): Promise<void> {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    const pages = await metricsOf(platform).catch(() => []);
    const pending = pages.flatMap((text) => [...text.matchAll(/^orrery_outbox_pending\{[^}]*\} (\d+)/gm)]);
    if (pending.length > 0 && pending.every(([, count]) => count === "0")) return;
    await new Promise((done) => setTimeout(done, 250));
  }
}

async function metricsOf(platform: Platform): Promise<readonly string[]> {
  const processes = platform.run.services.jobs ?? [];
  const pages = await Promise.all(processes.map(({ admin }) => platform.admin(`${admin}/metrics`)));
  return pages.map(({ text }) => text);
}

/** How many events the broker recognised as published before, over all processes that are alive. */
export async function duplicates(platform: Platform): Promise<number> {
  const counts = (await metricsOf(platform)).flatMap((text) => [
    ...text.matchAll(/^orrery_outbox_duplicates_total\{[^}]*\} (\d+)/gm),
  ]);
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}
