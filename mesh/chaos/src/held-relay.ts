import { readFileSync } from "node:fs";
import pg from "pg";
import type { Platform } from "../../dev/testing/platform.ts";
import { askUntil } from "./kill.ts";

const TRIES = 20;
const WITHIN_MS = 1_000;
/** The relay asks for its term's row in other statements as well, before it publishes anything. */
const SETTLING = `select pid from pg_stat_activity
  where wait_event_type = 'Lock' and query like '%gone as (%outbox_pending%'`;

/**
 * Holds the relay between the broker's acknowledgement and its own note of it, which otherwise lasts milliseconds: it
 * shares its term's row to settle what it published, and somebody else has that row. Let go by disposing; a settlement
 * that still waits in the database then goes with the relay, and is not carried out for a client that is gone.
 *
 * @param work - makes events
 */
export async function holdRelay(platform: Platform, work: () => Promise<void>): Promise<AsyncDisposable> {
  await using scope = new AsyncDisposableStack();
  const client = scope.adopt(await connect(platform), letGo);
  for (let tried = 0; tried < TRIES; tried += 1) {
    await client.query("begin");
    await client.query("select term from relay_term for update");
    await work();
    const waiting = await askUntil(
      () => settling(client),
      (backends) => backends.length > 0,
      WITHIN_MS,
    );
    if (waiting.length > 0) return scope.move();
    await client.query("rollback");
  }
  throw new Error(`the relay had nothing to settle, ${TRIES} times`);
}

async function letGo(client: pg.Client): Promise<void> {
  for (const { pid } of await settling(client)) await client.query("select pg_terminate_backend($1)", [pid]);
  await client.end();
}

/** The backends in which the relay waits. */
async function settling(client: pg.Client): Promise<readonly { pid: number }[]> {
  // Within a transaction the server goes on showing what it showed first.
  await client.query("select pg_stat_clear_snapshot()");
  return (await client.query<{ pid: number }>(SETTLING)).rows;
}

async function connect(platform: Platform): Promise<pg.Client> {
  const { postgres, identities, caFile } = platform.run;
  const files = identities.jobs;
  if (files === undefined) throw new Error("no identity jobs in run.json");
  const client = new pg.Client({
    host: "127.0.0.1",
    port: postgres.port,
    user: "jobs",
    database: "jobs",
    ssl: {
      key: readFileSync(files.keyFile),
      cert: readFileSync(files.certFile),
      ca: readFileSync(caFile),
    },
  });
  await client.connect();
  return client;
}
