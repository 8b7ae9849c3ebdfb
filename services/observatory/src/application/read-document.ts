import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { pageOf } from "@orrery/mesh/transport/answer-size";
import { aggregateOf, attemptOf, type Json, type JsonObject } from "../domain/envelope-payload.ts";
import { awaitWhole, awaitWrite, isWhole, type ReadAfterWrite, waitEndMs } from "./awaited-version.ts";
import { readNumberToken, writeNumberToken } from "./page-token.ts";
import type { ReadModel, StoredEvent } from "./ports.ts";

interface Deps {
  readonly readModel: ReadModel;
  readonly clock: Clock;
}

type WatchedKind = "job" | "mission";

/** One job or mission, at a version or newer. */
export interface DocumentRequest extends ReadAfterWrite {
  readonly id: string;
  /** 0 means any. */
  readonly minVersion: number;
}

/** A job or a mission with what its events brought (D2); all of it ProtoJSON. */
export interface ReadDocument {
  readonly body: string;
  readonly input: Json | undefined;
  readonly output: Json | undefined;
  /** Whether the events of all versions are there (D3); where one is missing, so may be input and output. */
  readonly complete: boolean;
}

const EVENTS_DEFAULT = 100;
const EVENTS_LIMIT = 1_000;

/**
 * Reads one job with input and output, or one mission with its input.
 *
 * @throws Fault `NOT_FOUND` · `PROJECTION_BEHIND` when the version asked for does not come within 3 seconds,
 * or an earlier one is missing for so long
 */
export const readDocument =
  ({ readModel, clock }: Deps, kind: WatchedKind) =>
  async (request: DocumentRequest): Promise<ReadDocument> => {
    const { project, id, signal } = request;
    const untilMs = waitEndMs(clock);
    // It may be a write to something else that this read has to come after.
    const written = await awaitWrite({ readModel, clock }, request, untilMs);
    const version = Math.max(request.minVersion, written?.id === id ? written.version : 0);
    const found = await awaitWhole({ readModel, clock }, kind, { project, id, version, signal, untilMs });
    if (found === undefined) throw notFound(kind, id);
    const { document, complete } = found;
    const [first, last] = await Promise.all(
      [0, document.version - 1].map((afterVersion) =>
        readModel.history(project, id, { afterVersion, limit: 1 }),
      ),
    );
    const partOf = (event: StoredEvent | undefined, part: "input" | "output") =>
      event === undefined ? undefined : aggregateOf(event.envelope, kind)[part];
    return {
      body: document.body,
      input: partOf(first?.[0], "input"),
      output: partOf(last?.[0], "output"),
      complete,
    };
  };

/**
 * Reads the attempts of a job, the first one first, out of the events that began and ended them.
 *
 * @throws Fault `NOT_FOUND` · `PROJECTION_BEHIND`
 */
export const readAttempts =
  ({ readModel, clock }: Deps) =>
  async (
    request: ReadAfterWrite & { readonly id: string },
  ): Promise<{ readonly attempts: readonly JsonObject[]; readonly complete: boolean }> => {
    const { project, id } = request;
    await awaitWrite({ readModel, clock }, request);
    const complete = await completeNow(readModel, "job", project, id);
    const attempts = new Map<number, JsonObject>();
    let found = 0;
    for (let afterVersion = 0; ; ) {
      const events = await readModel.history(project, id, { afterVersion, limit: EVENTS_LIMIT });
      found += events.length;
      for (const event of events) {
        const attempt = attemptOf(event.envelope);
        // By version, so the event that ended an attempt comes after the one that began it.
        if (attempt !== undefined) attempts.set(Number(attempt.attempt), attempt);
      }
      if (events.length < EVENTS_LIMIT) break;
      afterVersion = events.at(-1)?.version ?? 0;
    }
    if (found === 0) throw notFound("job", id);
    const inOrder = [...attempts].sort(([left], [right]) => left - right).map(([, attempt]) => attempt);
    return { attempts: inOrder, complete };
  };

/** A page of the events of one job or mission. */
export interface HistoryPage {
  readonly events: readonly StoredEvent[];
  readonly nextPageToken: string;
  /** Whether the events of all versions are there (D3). */
  readonly complete: boolean;
}

/**
 * Reads the events of a job or a mission by version, page by page; of large ones fewer than asked for.
 *
 * @throws Fault `NOT_FOUND` · `INVALID_PAGE_TOKEN` · `PROJECTION_BEHIND`
 */
export const readHistory =
  ({ readModel, clock }: Deps, kind: WatchedKind) =>
  async (
    request: ReadAfterWrite & { readonly id: string; readonly pageSize: number; readonly pageToken: string },
  ): Promise<HistoryPage> => {
    const { project, id, pageToken } = request;
    const belongsTo = [project, id, "history"];
    const afterVersion = pageToken === "" ? 0 : readNumberToken(pageToken, belongsTo);
    await awaitWrite({ readModel, clock }, request);
    const limit = Math.min(request.pageSize === 0 ? EVENTS_DEFAULT : request.pageSize, EVENTS_LIMIT);
    const complete = await completeNow(readModel, kind, project, id);
    const found = await readModel.history(project, id, { afterVersion, limit: limit + 1 });
    if (found.length === 0 && afterVersion === 0) throw notFound(kind, id);
    const { page: events, more } = pageOf(found, limit, ({ envelope }) => envelope);
    const last = more ? events.at(-1) : undefined;
    const nextPageToken = last === undefined ? "" : writeNumberToken(last.version, belongsTo);
    return { events, nextPageToken, complete };
  };

/** Asked before the events are read: an answer may hold more than it says, never less. */
async function completeNow(
  readModel: ReadModel,
  kind: WatchedKind,
  project: string,
  id: string,
): Promise<boolean> {
  const document = await readModel.find(kind, project, id);
  if (document === undefined) throw notFound(kind, id);
  return isWhole(readModel, project, document);
}

function notFound(kind: WatchedKind, id: string): Fault {
  return new Fault("NOT_FOUND", { detail: `There is no ${kind} ${id} in this project's read model.` });
}
