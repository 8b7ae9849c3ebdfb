import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { type Json, type JsonObject, payloadOf } from "../domain/envelope-payload.ts";
import { awaitVersion, wantedBy } from "./awaited-version.ts";
import { readNumberToken, writeNumberToken } from "./page-token.ts";
import type { ReadModel, StoredEvent } from "./ports.ts";

interface Deps {
  readonly readModel: ReadModel;
  readonly clock: Clock;
}

/** One job, at a version or newer. */
export interface JobRequest {
  readonly project: string;
  readonly id: string;
  /** 0 means any. */
  readonly minVersion: number;
  readonly consistencyToken: string;
  readonly signal: AbortSignal;
}

/** A job with what its events brought (D2); all of it ProtoJSON. */
export interface ReadJob {
  readonly body: string;
  readonly input: Json | undefined;
  readonly output: Json | undefined;
}

const EVENTS_DEFAULT = 100;
const EVENTS_LIMIT = 1_000;

/**
 * Reads one job with input and output.
 *
 * @throws Fault `NOT_FOUND` · `PROJECTION_BEHIND` when the version asked for does not come within 3 seconds
 */
export const readJob =
  ({ readModel, clock }: Deps) =>
  async (request: JobRequest): Promise<ReadJob> => {
    const { project, id, signal } = request;
    const wanted = wantedBy(request.consistencyToken);
    if (wanted !== undefined) await awaitVersion({ readModel, clock }, project, { ...wanted, signal });
    if (request.minVersion > 0) {
      await awaitVersion({ readModel, clock }, project, { jobId: id, version: request.minVersion, signal });
    }
    const job = await readModel.job(project, id);
    if (job === undefined) throw notFound(id);
    const [first, last] = await Promise.all(
      [0, job.version - 1].map((afterVersion) => readModel.history(project, id, { afterVersion, limit: 1 })),
    );
    return { body: job.body, input: partOf(first?.[0], "input"), output: partOf(last?.[0], "output") };
  };

/**
 * Reads the attempts of a job, the first one first, out of the events that began and ended them.
 *
 * @throws Fault `NOT_FOUND`
 */
export const readAttempts =
  ({ readModel }: Pick<Deps, "readModel">) =>
  async (project: string, id: string): Promise<readonly JsonObject[]> => {
    const attempts = new Map<number, JsonObject>();
    let found = 0;
    for (let afterVersion = 0; ; ) {
      const events = await readModel.history(project, id, { afterVersion, limit: EVENTS_LIMIT });
      found += events.length;
      for (const event of events) {
        const { attempt } = payloadOf(event.envelope);
        // By version, so the event that ended an attempt comes after the one that began it.
        if (attempt !== undefined) attempts.set(Number(attempt.attempt), attempt);
      }
      if (events.length < EVENTS_LIMIT) break;
      afterVersion = events.at(-1)?.version ?? 0;
    }
    if (found === 0) throw notFound(id);
    return [...attempts].sort(([left], [right]) => left - right).map(([, attempt]) => attempt);
  };

/**
 * Reads the events of a job by version, page by page.
 *
 * @throws Fault `NOT_FOUND` · `INVALID_PAGE_TOKEN`
 */
export const readHistory =
  ({ readModel }: Pick<Deps, "readModel">) =>
  async (request: {
    readonly project: string;
    readonly id: string;
    readonly pageSize: number;
    readonly pageToken: string;
  }): Promise<{ readonly events: readonly StoredEvent[]; readonly nextPageToken: string }> => {
    const { project, id, pageToken } = request;
    const belongsTo = [project, id, "history"];
    const afterVersion = pageToken === "" ? 0 : readNumberToken(pageToken, belongsTo);
    const limit = Math.min(request.pageSize === 0 ? EVENTS_DEFAULT : request.pageSize, EVENTS_LIMIT);
    const found = await readModel.history(project, id, { afterVersion, limit: limit + 1 });
    if (found.length === 0 && afterVersion === 0) throw notFound(id);
    const events = found.slice(0, limit);
    const last = found.length > limit ? events.at(-1) : undefined;
    return { events, nextPageToken: last === undefined ? "" : writeNumberToken(last.version, belongsTo) };
  };

function partOf(event: StoredEvent | undefined, part: "input" | "output"): Json | undefined {
  return event === undefined ? undefined : payloadOf(event.envelope).job[part];
}

function notFound(id: string): Fault {
  return new Fault("NOT_FOUND", { detail: `There is no job ${id} in this project's read model.` });
}
