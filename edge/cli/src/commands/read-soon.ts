import type { Answer, Api } from "../api.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";

/** How old something may be, by the time in its id, to be one that the read model has not seen yet. */
const FRESH_MS = 60_000;

/** A job or a mission of the read model. */
export interface Aggregate {
  readonly id: string;
  /** Where the read model answers for it. */
  readonly path: string;
}

/**
 * Reads from the read model what may have been written a moment ago. What is not there, and whose id says that
 * it was made within the last minute, is waited for (at most 3 seconds, by the edge); what is older is answered
 * at once.
 */
export async function readSoon(
  api: Api,
  { id, path: aggregatePath }: Aggregate,
  path: string,
  query: Record<string, number> = {},
): Promise<Answer> {
  try {
    return await api.send("GET", path, { query });
  } catch (error) {
    const missing = error instanceof Failure && error.about.exitCode === EXIT.notFound;
    if (!missing || !isFresh(id, Date.now())) throw error;
  }
  await api.send("GET", aggregatePath, { query: { minVersion: 1 } });
  return api.send("GET", path, { query });
}

/** The first 48 bits of a UUIDv7 are the time of its making (RFC 9562, section 5.7). */
function isFresh(id: string, nowMs: number): boolean {
  const madeMs = Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
  return Math.abs(nowMs - madeMs) < FRESH_MS;
}
