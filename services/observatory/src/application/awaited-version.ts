import { Fault } from "@orrery/mesh/fault/fault";
import { STREAM_MAX_AGE_MS } from "@orrery/mesh/messaging/streams";
import type { Clock } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import { readConsistencyToken, type WantedVersion } from "../domain/consistency-token.ts";
import type { Kind } from "../domain/projection.ts";
import { timeOfUuid } from "../domain/uuid-time.ts";
import type { ReadModel, StoredDocument } from "./ports.ts";

/** How long a read waits for a write that it has to hold. */
const WAIT_LIMIT_MS = 3_000;
const POLL_MS = 25;

interface Deps {
  readonly readModel: Pick<ReadModel, "find" | "history" | "countVersions">;
  readonly clock: Clock;
}

/** A read of a project that may have to come after a write. */
export interface ReadAfterWrite {
  readonly project: string;
  /** The Orrery-Consistency-Token of that write; empty where there is none. */
  readonly consistencyToken: string;
  readonly signal: AbortSignal;
}

/** A version of something that a read has to hold. */
interface AwaitedVersion extends WantedVersion {
  readonly project: string;
  readonly signal: AbortSignal;
  /** Until when it is waited for, by the monotonic clock. */
  readonly untilMs: number;
}

/** Until when a read that begins now waits, whatever it waits for, by the monotonic clock: 3 seconds. */
export const waitEndMs = (clock: Clock): number => clock.monotonicMs() + WAIT_LIMIT_MS;

/** A document, and whether the events of all its versions are there (D3). */
export interface WholeDocument {
  readonly document: StoredDocument;
  readonly complete: boolean;
}

/**
 * Waits until the write that a read has to come after is searchable, as a document and as an event: a store may show
 * the one before the other. Without a token it waits for nothing.
 *
 * @returns what the token names
 * @throws Fault `INVALID_REQUEST` (the token) · `PROJECTION_BEHIND` (retryable) when the wait ends
 * @default untilMs 3 seconds from now
 */
export async function awaitWrite(
  { readModel, clock }: Deps,
  { project, consistencyToken, signal }: ReadAfterWrite,
  untilMs = waitEndMs(clock),
): Promise<WantedVersion | undefined> {
  const wanted = wantedBy(consistencyToken);
  if (wanted === undefined) return undefined;
  const { id, version } = wanted;
  return polled(clock, { ...wanted, project, signal, untilMs }, async () => {
    const found =
      (await readModel.find("job", project, id)) ?? (await readModel.find("mission", project, id));
    if (found === undefined || found.version < version) return undefined;
    const events = await readModel.history(project, id, { afterVersion: version - 1, limit: 1 });
    return events.length > 0 ? wanted : undefined;
  });
}

/**
 * Waits until a document is there at the version wanted or a newer one, and the events of all its versions
 * with it: events may come in any order, so the newest one can be there before the first, which holds the
 * input. A document from before the time that events are kept for is given as it is.
 *
 * @returns undefined when no version was asked for and there is no such document
 * @throws Fault `PROJECTION_BEHIND` (retryable) when the wait ends
 */
export function awaitWhole(
  { readModel, clock }: Deps,
  kind: Kind,
  wanted: AwaitedVersion,
): Promise<WholeDocument | undefined> {
  const { project, id, version } = wanted;
  return polled<WholeDocument | { readonly document: undefined }>(clock, wanted, async () => {
    const document = await readModel.find(kind, project, id);
    if (document === undefined) return version === 0 ? { document } : undefined;
    if (document.version < version) return undefined;
    if (await isWhole(readModel, project, document)) return { document, complete: true };
    // What is missing from before that may never come, and is not waited for.
    const isOld = (timeOfUuid(id) ?? 0) < clock.nowMs() - STREAM_MAX_AGE_MS;
    return isOld ? { document, complete: false } : undefined;
  }).then((found) => (found.document === undefined ? undefined : found));
}

/** Whether the events of all versions of a document are there (D3). */
export async function isWhole(
  readModel: Pick<ReadModel, "countVersions">,
  project: string,
  { id, version }: Pick<StoredDocument, "id" | "version">,
): Promise<boolean> {
  return (await readModel.countVersions(project, id, version)) === version;
}

async function polled<T>(
  clock: Clock,
  wanted: AwaitedVersion,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (wanted.signal.aborted || clock.monotonicMs() >= wanted.untilMs) {
      const what = wanted.version === 0 ? "Every version" : `Version ${wanted.version}`;
      throw new Fault("PROJECTION_BEHIND", {
        detail: `${what} of ${wanted.id}, with all that came before, is not in the read model yet.`,
        retryAfterMs: 1_000,
      });
    }
    await wait(POLL_MS, wanted.signal);
  }
}

/** @throws Fault `INVALID_REQUEST` for a text that no write answered with */
export function wantedBy(consistencyToken: string): WantedVersion | undefined {
  if (consistencyToken === "") return undefined;
  const wanted = readConsistencyToken(consistencyToken);
  if (wanted !== undefined) return wanted;
  const description = "not the Orrery-Consistency-Token of a write";
  throw new Fault("INVALID_REQUEST", {
    detail: "The consistency token is not one of ours.",
    fieldViolations: [{ field: "consistencyToken", description }],
  });
}
