import { Fault } from "@orrery/mesh/fault/fault";
import type { PublishedEvent } from "@orrery/mesh/outbox/stored-events";
import type { Transaction } from "@orrery/mesh/postgres/pool";
import { pageOf } from "@orrery/mesh/transport/answer-size";
import { blocked } from "../domain/blocked.ts";
import type { Attempt } from "../domain/job.ts";
import type { JobEvents, Jobs, JobView } from "./ports.ts";

/** What a caller is told of a job that his project does not have. */
export const NO_SUCH_JOB = "this project has no job with this id";
const notFound = (): Fault => new Fault("NOT_FOUND", { detail: NO_SUCH_JOB });

/**
 * Reads a job as it is now, with the reason that holds it. @throws Fault `NOT_FOUND`, also for another
 * project's job
 */
export const readJob =
  (jobs: Jobs) =>
  async (project: string, id: string, tx?: Transaction): Promise<JobView> => {
    const stored = await jobs.read(project, id, tx);
    if (stored === undefined) throw notFound();
    const around = stored.job.status === "QUEUED" ? await jobs.surroundings(stored.job, tx) : undefined;
    return { ...stored, blocked: blocked(stored.job, around) };
  };

/** Reads all attempts of a job, the first one first. @throws Fault `NOT_FOUND` */
export const readAttempts =
  (jobs: Jobs) =>
  async (project: string, id: string): Promise<readonly Attempt[]> => {
    const attempts = await jobs.attempts(project, id);
    if (attempts === undefined) throw notFound();
    return attempts;
  };

/**
 * Reads the events of a job after a version; of large ones fewer than asked for.
 *
 * @param limit - 1 to 1,000
 * @returns by version; `more` says whether there are further ones
 * @throws Fault `NOT_FOUND`
 */
export const readEvents =
  (jobs: Jobs, events: JobEvents) =>
  async (
    project: string,
    from: { jobId: string; version: number },
    limit: number,
  ): Promise<{ events: readonly PublishedEvent[]; more: boolean }> => {
    if ((await jobs.read(project, from.jobId)) === undefined) throw notFound();
    const found = await events.after([{ aggregateId: from.jobId, version: from.version }], limit + 1);
    const { page, more } = pageOf(found, limit, ({ envelope }) => envelope);
    return { events: page, more };
  };
