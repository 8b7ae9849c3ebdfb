import type { Pool, Transaction } from "../postgres/pool.ts";
import { KEEP_KEY_PARTITIONS, STORE_ANSWER, STORED_ANSWER, TAKE_KEY } from "./key-statements.ts";
import type { IdempotencyKeys, KeyedRequest } from "./keys.ts";

/**
 * Idempotency keys in PostgreSQL: an advisory lock says "under way", a row says "done". The service's first
 * migration holds the table of `idempotency.sql`.
 */
export function createKeyStore(): IdempotencyKeys {
  return {
    claim: async (tx, request) => {
      const [lock] = await tx.query<{ taken: boolean }>(TAKE_KEY, scopeOf(request));
      const [stored] = await readStored(tx, request);
      // A stored answer counts even where somebody holds the lock: he only reads it, as we do.
      if (stored !== undefined) return { kind: "done", ...stored };
      return { kind: lock?.taken === true ? "new" : "in_flight" };
    },
    store: async (tx, { fingerprint, response, ...request }) => {
      const values = [...scopeOf({ ...request, fingerprint }), fingerprint, Buffer.from(response)];
      await tx.query(STORE_ANSWER, values);
    },
  };
}

/** Keeps the table's days in order; do it every few minutes, and at the start. */
export async function keepKeyPartitions(pool: Pool): Promise<void> {
  await pool.query(KEEP_KEY_PARTITIONS, []);
}

const readStored = (
  tx: Transaction,
  request: KeyedRequest,
): Promise<{ fingerprint: string; response: Buffer }[]> => tx.query(STORED_ANSWER, scopeOf(request));

const scopeOf = ({ project, route, key }: KeyedRequest): string[] => [project, route, key];
