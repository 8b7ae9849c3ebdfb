import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Fault } from "../../src/fault/fault.ts";
import { sqlState } from "../../src/postgres/database-fault.ts";
import { openPool, type Pool } from "../../src/postgres/pool.ts";
import { createBreaker } from "../../src/resilience/breaker.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import type { TestDatabase } from "../../src/testing/test-database.ts";
import { systemClock } from "../../src/time/clock.ts";
import { outboxDatabase } from "../outbox/outbox-world.ts";

const statement = (text: string) => ({ name: `test.${text.length}.${text.slice(0, 40)}`, text });

describe("a pool", () => {
  let database: TestDatabase;
  let pool: Pool;

  beforeAll(async () => {
    database = await outboxDatabase();
    pool = database.openPool(4);
    await pool.transaction((tx) =>
      tx.exec("create table thing (id int primary key, seen int not null default 0)"),
    );
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
  });

  /** Asks while the pool's one connection is held for a second, with 200 ms to wait. */
  const refusedBesideAnother = async (own: Pool): Promise<void> => {
    const holder = own.query(statement("select pg_sleep(1)"), []);
    const deadlineMs = systemClock.monotonicMs() + 200;
    await expect(own.query(statement("select 1"), [], { deadlineMs })).rejects.toMatchObject({
      reason: "DEPENDENCY_UNAVAILABLE",
    });
    expect(systemClock.monotonicMs() - deadlineMs).toBeLessThan(500);
    await holder;
  };

  test("reads integers and times as numbers and JSON as its text", async () => {
    const rows = await pool.query(
      statement(`select 9007199254740991::int8 as safe, 9007199254740993::int8 as unsafe,
        '2026-11-21 10:00:00.123999+01'::timestamptz as at, '2026-11-21 09:00:00+00'::timestamptz as whole,
        'infinity'::timestamptz as never, '{"a": 1}'::jsonb as json, array[1,null]::int8[] as many,
        array['2026-11-21 09:00:00.5+00']::timestamptz[] as times`),
      [],
    );
    expect(rows).toEqual([
      {
        safe: 9007199254740991,
        unsafe: "9007199254740993",
        at: Date.UTC(2026, 10, 21, 9, 0, 0, 123),
        whole: Date.UTC(2026, 10, 21, 9),
        never: Number.POSITIVE_INFINITY,
        json: '{"a": 1}',
        many: [1, null],
        times: [Date.UTC(2026, 10, 21, 9, 0, 0, 500)],
      },
    ]);
  });

  test("keeps nothing of work that throws", async () => {
    const work = pool.transaction(async (tx) => {
      await tx.query(statement("insert into thing values (1)"), []);
      throw new Error("changed my mind");
    });
    await expect(work).rejects.toThrow("changed my mind");
    expect(await pool.query(statement("select 1 from thing where id = 1"), [])).toEqual([]);
  });

  test("says what the database called a failure, and keeps the driver's words out of the fault", async () => {
    await pool.query(statement("insert into thing values (2)"), []);
    const failure: unknown = await pool
      .query(statement("insert into thing values (2)"), [])
      .catch((f: unknown) => f);
    expect(failure).toMatchObject({ reason: "INTERNAL", message: "the database refused a statement" });
    expect(sqlState(failure)).toBe("23505");
  });

  test("refuses to call work committed that swallowed a failed statement", async () => {
    const work = pool.transaction(async (tx) => {
      await tx.query(statement("insert into thing values (3)"), []);
      await tx.query(statement("insert into thing values (3)"), []).catch(() => undefined);
    });
    await expect(work).rejects.toMatchObject({ reason: "INTERNAL" });
    expect(await pool.query(statement("select 1 from thing where id = 3"), [])).toEqual([]);
  });

  test("writes what was posted in order, with what comes next or as one transaction of its own", async () => {
    const add = statement("insert into thing values ($1)");
    const known = statement(
      "select id from thing where id between 20 and 29 order by xmin::text::bigint, ctid",
    );
    const inBetween = await pool.transaction(async (tx) => {
      tx.post(add, [22]);
      tx.post(add, [21]);
      const seen = await tx.query(known, []);
      tx.post(add, [20]);
      return seen;
    });
    expect(inBetween).toEqual([{ id: 22 }, { id: 21 }]);
    await pool.transaction((tx) => {
      tx.post(add, [24]);
      tx.post(add, [23]);
      return Promise.resolve();
    });
    expect(await pool.query(known, [])).toEqual([22, 21, 20, 24, 23].map((id) => ({ id })));
    const writers = statement(
      "select count(distinct xmin::text)::int as count from thing where id in (23, 24)",
    );
    expect(await pool.query(writers, [])).toEqual([{ count: 1 }]);
  });

  test.each([
    ["alone", false],
    ["after an answer", true],
  ])("keeps nothing where one of the posted fails, %s", async (_when, asks) => {
    const own = database.openPool(1);
    const add = statement("insert into thing values ($1) -- posted");
    const skipped = statement(`select ${asks ? 1 : 2} as skipped`);
    const work = own.transaction(async (tx) => {
      if (asks) await tx.query(statement("select 1"), []);
      tx.post(add, [30]);
      tx.post(add, [30]);
      tx.post(add, [31]);
      tx.post(skipped, []);
    });
    const failure: unknown = await work.catch((reason: unknown) => reason);
    expect(sqlState(failure)).toBe("23505");
    expect(await own.query(statement("select 1 from thing where id in (30, 31)"), [])).toEqual([]);
    // The server never saw it: on the same connection it is prepared when it is next asked for.
    expect(await own.query(skipped, [])).toEqual([{ skipped: asks ? 1 : 2 }]);
  });

  test("keeps nothing of a batch with a value that cannot be written", async () => {
    const ring: { own?: unknown } = {};
    ring.own = ring;
    const work = pool.transaction((tx) => {
      tx.post(statement("insert into thing values ($1) -- before a ring"), [40]);
      tx.post(statement("select $1::json"), [ring]);
      return Promise.resolve();
    });
    await expect(work).rejects.toBeInstanceOf(Fault);
    expect(await pool.query(statement("select 1 from thing where id = 40"), [])).toEqual([]);
  });

  test("keeps nothing of a batch with a name that stands for another text", async () => {
    const own = database.openPool(1);
    await own.query({ name: "test.twice", text: "select 1" }, []);
    const work = own.transaction((tx) => {
      tx.post(statement("insert into thing values (41)"), []);
      tx.post({ name: "test.twice", text: "select 2" }, []);
      return Promise.resolve();
    });
    await expect(work).rejects.toBeInstanceOf(Fault);
    expect(await pool.query(statement("select 1 from thing where id = 41"), [])).toEqual([]);
  });

  test("takes a statement without a name and without values, and answers the next one rightly", async () => {
    const own = database.openPool(1);
    expect(await own.query({ name: "", text: "select 'plain' as text" }, [])).toEqual([{ text: "plain" }]);
    expect(await own.query(statement("select 'named' as text"), [])).toEqual([{ text: "named" }]);
    expect(await own.query(statement("select 'third' as text"), [])).toEqual([{ text: "third" }]);
  });

  test("gives a transaction its projects, quoted, and platform work a star", async () => {
    const projects = statement("select current_setting('orrery.projects') as projects");
    const asProjects = (names: readonly string[]) =>
      pool.transaction((tx) => tx.query<{ projects: string }>(projects, []), { projects: names });
    expect(await asProjects(["demo", "second"])).toEqual([{ projects: '{"demo","second"}' }]);
    expect(await asProjects(["a'b\"c\\"])).toEqual([{ projects: String.raw`{"a'b\"c\\"}` }]);
    expect(await pool.query(projects, [])).toEqual([{ projects: "*" }]);
  });

  test("runs a transaction again that lost a deadlock, so that both commit", async () => {
    await pool.query(statement("insert into thing values (10), (11)"), []);
    const meeting = Promise.withResolvers<void>();
    let met = 0;
    const swap = (first: number, second: number) =>
      pool.transaction(async (tx) => {
        await tx.query(statement("update thing set seen = seen + 1 where id = $1"), [first]);
        met += 1;
        if (met === 2) meeting.resolve();
        await meeting.promise;
        await tx.query(statement("update thing set seen = seen + 1 where id = $1"), [second]);
      });
    await Promise.all([swap(10, 11), swap(11, 10)]);
    expect(met).toBe(3);
    const seen = await pool.query(statement("select seen from thing where id in (10, 11)"), []);
    expect(seen).toEqual([{ seen: 2 }, { seen: 2 }]);
  });

  test("cancels a statement at the caller's deadline", async () => {
    const deadlineMs = systemClock.monotonicMs() + 300;
    const work = pool.transaction((tx) => tx.query(statement("select pg_sleep(5)"), []), { deadlineMs });
    await expect(work).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    expect(systemClock.monotonicMs() - deadlineMs).toBeLessThan(500);
  });

  test("refuses work whose deadline has passed before it takes a connection", async () => {
    const late = pool.query(statement("select 1"), [], { deadlineMs: systemClock.monotonicMs() });
    await expect(late).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
  });

  test("answers DEPENDENCY_UNAVAILABLE when its connection is killed, and works again at once", async () => {
    const own = database.openPool(1);
    const backend = await own.query<{ pid: number }>(statement("select pg_backend_pid() as pid"), []);
    const sleeping = own.query(statement("select pg_sleep(10)"), []);
    await pool.query(statement("select pg_terminate_backend($1::int)"), [backend[0]?.pid]);
    await expect(sleeping).rejects.toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE", retryAfterMs: 1_000 });
    await expect(own.ping()).resolves.toBeUndefined();
  });

  test("outlives a connection that breaks between two statements of a transaction", async () => {
    const own = database.openPool(1);
    const running = statement("select 1 from pg_stat_activity where pid = $1");
    const work = own.transaction(async (tx) => {
      const [backend] = await tx.query<{ pid: number }>(statement("select pg_backend_pid() as pid"), []);
      await pool.query(statement("select pg_terminate_backend($1::int)"), [backend?.pid]);
      await eventually(async () => expect(await pool.query(running, [backend?.pid])).toEqual([]));
      await tx.query(statement("select 1"), []);
    });
    await expect(work).rejects.toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
    await expect(own.ping()).resolves.toBeUndefined();
  });

  test("answers in time when every connection is taken", async () => {
    const own = database.openPool(1);
    await refusedBesideAnother(own);
    await expect(own.query(statement("select 1 as one"), [])).resolves.toEqual([{ one: 1 }]);
  });

  test("answers in time where two ask at once for the connection that is idle", async () => {
    const own = database.openPool(1);
    await own.ping();
    await refusedBesideAnother(own);
  });

  test("takes a server that lets nothing be written for one that is away", async () => {
    const work = pool.transaction(async (tx) => {
      await tx.exec("set transaction read only");
      await tx.query(statement("insert into thing values (99)"), []);
    });
    await expect(work).rejects.toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE", retryAfterMs: 1_000 });
  });

  test("opens its breaker for a database that is away, and not for a statement that is refused", async () => {
    const metrics = createMetrics({ service: "test", defaults: false });
    const breaker = createBreaker({ dependency: "postgres", metrics, volumeThreshold: 5 });
    const settings = {
      ...{ host: database.host, database: database.database, role: database.role, size: 2 },
      ...{ applicationName: "test", statementTimeoutMs: 1_000, logger: quietLogger, breaker, metrics },
    };
    const there = openPool({ ...settings, port: database.port });
    const away = openPool({ ...settings, port: 1 });
    for (let call = 0; call < 10; call += 1) {
      await expect(there.query(statement("select nonsense"), [])).rejects.toMatchObject({
        reason: "INTERNAL",
      });
    }
    expect(breaker.state()).toBe("closed");
    for (let call = 0; call < 11; call += 1)
      await away.query(statement("select 1"), []).catch(() => undefined);
    expect(breaker.state()).toBe("open");
    breaker.close();
    await Promise.all([there.end(), away.end()]);
  });
});

describe("a commit", () => {
  test("whose answer is lost is DEPENDENCY_UNAVAILABLE and says that the outcome is unknown", async () => {
    await using database = await outboxDatabase();
    const pool = database.openPool(1);
    const admin = database.openPool(1);
    // A deferred trigger holds the COMMIT open long enough to lose the connection inside it.
    await admin.transaction((tx) =>
      tx.exec(`create table slow (id int);
        create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(5); return null; end $$;
        create constraint trigger dawdle after insert on slow deferrable initially deferred
          for each row execute function dawdle()`),
    );
    const backend = await pool.query<{ pid: number }>(statement("select pg_backend_pid() as pid"), []);
    const work = pool.transaction((tx) => tx.query(statement("insert into slow values (1)"), []));
    const outcome = expect(work).rejects.toMatchObject({
      reason: "DEPENDENCY_UNAVAILABLE",
      message: expect.stringContaining("unknown"),
    });
    const inCommit = statement(
      "select 1 from pg_stat_activity where pid = $1 and query = 'commit' and state = 'active'",
    );
    let waiting: unknown[] = [];
    while (waiting.length === 0) waiting = await admin.query(inCommit, [backend[0]?.pid]);
    await admin.query(statement("select pg_terminate_backend($1::int)"), [backend[0]?.pid]);
    await outcome;
  });
});
