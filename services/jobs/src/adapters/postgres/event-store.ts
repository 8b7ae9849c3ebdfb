import type { Pool } from "@orrery/mesh/postgres/pool";
import type { EventStore } from "../../application/ports.ts";
import { factOf, hasEnded, type JobStatus } from "../../domain/job-state.ts";
import { plainArray } from "./array-literal.ts";
import { type TermsRow, termsFrom } from "./job-row.ts";
import { EVENT_TERMS, EVENTS_AFTER, VERSIONS } from "./read-statements.ts";

interface EventRow {
  readonly id: string;
  readonly aggregate_id: string;
  readonly version: number;
  readonly event_type: string;
  readonly payload: string;
  readonly occurred_at: number;
}

type EventTermsRow = TermsRow & {
  readonly ord: number;
  readonly input: string | null;
  readonly output: string | null;
};

/** The events of jobs in the outbox, which keeps them for longer than the broker does. */
export function createEventStore(pool: Pool): EventStore {
  return {
    after: async (positions, limit) => {
      const rows = await pool.query<EventRow>(EVENTS_AFTER, [
        positions.map(({ jobId }) => jobId),
        positions.map(({ version }) => version),
        limit,
      ]);
      return rows.map((row) => ({
        id: row.id,
        jobId: row.aggregate_id,
        version: row.version,
        fact: factOf(row.event_type),
        occurredMs: row.occurred_at,
        payload: row.payload,
      }));
    },
    termsOf: async (events, limitBytes) => {
      const rows = await pool.query<EventTermsRow>(EVENT_TERMS, [
        plainArray(events.map(({ jobId }) => jobId)),
        plainArray(events.map(({ version }) => version === 1)),
        plainArray(events.map(({ fact }) => fact === "JobSucceeded")),
        limitBytes,
      ]);
      const byOrdinal = new Map(rows.map((row) => [row.ord, row]));
      return events.map((_event, index) => {
        const row = byOrdinal.get(index + 1);
        return (
          row && {
            terms: termsFrom(row),
            inputText: row.input ?? undefined,
            outputText: row.output ?? undefined,
          }
        );
      });
    },
    versions: async (ids) => {
      type Row = { id: string; version: number; status: JobStatus };
      const rows = await pool.query<Row>(VERSIONS, [ids]);
      return new Map(rows.map(({ id, version, status }) => [id, { version, ended: hasEnded(status) }]));
    },
  };
}
