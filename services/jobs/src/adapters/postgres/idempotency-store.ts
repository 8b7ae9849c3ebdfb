import type { KeyedRequest, KeyState } from "@orrery/mesh/idempotency/keys";
import type { IdempotencyKeys } from "../../application/ports.ts";
import { STORE_ANSWERS, STORED_ANSWERS, TAKE_KEYS } from "./idempotency-statements.ts";

/** Idempotency keys in PostgreSQL: an advisory lock says "under way", a row says "done". */
export function createIdempotencyStore(): IdempotencyKeys {
  return {
    claimAll: async (tx, requests) => {
      const asked = columns(requests);
      const taken = await tx.query<{ taken: boolean }>(TAKE_KEYS, asked);
      const stored = await tx.query<{ ord: number; fingerprint: string; response: Buffer }>(
        STORED_ANSWERS,
        asked,
      );
      const byOrdinal = new Map(stored.map((row) => [row.ord, row]));
      return requests.map((_request, index): KeyState => {
        const row = byOrdinal.get(index + 1);
        // A stored answer counts even where somebody holds the lock: he only reads it, as we do.
        if (row !== undefined) return { kind: "done", fingerprint: row.fingerprint, response: row.response };
        return { kind: taken[index]?.taken === true ? "new" : "in_flight" };
      });
    },
    storeAll: (tx, answers) => {
      tx.post(STORE_ANSWERS, [
        ...columns(answers),
        answers.map(({ fingerprint }) => fingerprint),
        answers.map(({ response }) => Buffer.from(response)),
      ]);
    },
  };
}

const columns = (requests: readonly KeyedRequest[]): unknown[] => [
  requests.map(({ project }) => project),
  requests.map(({ route }) => route),
  requests.map(({ key }) => key),
];
