import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { APPEND_OUTBOX, type OutboxRow, outboxColumns } from "../../src/outbox/outbox.ts";
import type { Pool } from "../../src/postgres/pool.ts";
import { type TestDatabase, testDatabase } from "../../src/testing/test-database.ts";
import { systemClock, uuidV7 } from "../../src/time/clock.ts";

const OUTBOX_SQL = fileURLToPath(new URL("../../src/outbox/outbox.sql", import.meta.url));

/** A database that holds the outbox's tables and nothing else. */
export async function outboxDatabase(): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-outbox-"));
  const tables = readFileSync(OUTBOX_SQL, "utf8");
  writeFileSync(
    join(folder, "0001_outbox.sql"),
    `-- Up Migration\n${tables}\n-- Down Migration\ndrop table outbox cascade;\n`,
  );
  try {
    return await testDatabase({ migrations: folder, name: "outbox" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The id of the aggregate that a test calls so: at most six ASCII characters. */
export const idOf = (aggregate: string): string =>
  `00000000-0000-7000-8000-${Buffer.from(aggregate).toString("hex").padStart(12, "0")}`;

/** What the stream calls an event of that aggregate. */
export const nameOf = (aggregate: string, version: number): string => `${idOf(aggregate)}:${version}`;

/** One event of an aggregate, on a subject of the context `tests`. */
export function event(
  aggregate: string,
  aggregateVersion: number,
  fields: Partial<OutboxRow> = {},
): OutboxRow {
  const aggregateId = idOf(aggregate);
  const payload = JSON.stringify({ aggregateId, aggregateVersion, filler: "x".repeat(900) });
  return {
    aggregateId,
    aggregateVersion,
    eventId: uuidV7(),
    eventType: "orrery.events.v1.tests.ThingChanged",
    subject: "orrery.events.v1.tests.ThingChanged.0",
    occurredAtMs: systemClock.nowMs(),
    payload,
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    projectId: "demo",
    ...fields,
  };
}

/** Writes events in one transaction. */
export async function append(pool: Pool, rows: readonly OutboxRow[]): Promise<void> {
  await pool.transaction(async (tx) => {
    await tx.query(APPEND_OUTBOX, outboxColumns(rows));
  });
}

/** How many events wait for the broker. */
export async function pendingCount(pool: Pool): Promise<number> {
  const rows = await pool.query<{ pending: number }>(
    {
      name: "test.pending",
      text: "select coalesce(sum(cardinality(versions)), 0)::int as pending from outbox_pending",
    },
    [],
  );
  return rows[0]?.pending ?? -1;
}
