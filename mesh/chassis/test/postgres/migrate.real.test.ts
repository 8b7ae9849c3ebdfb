import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, jest, test } from "@jest/globals";
import { migrateService } from "../../src/lifecycle/migration.ts";
import { migrate } from "../../src/postgres/migrate.ts";
import { openPool, type Pool } from "../../src/postgres/pool.ts";
import { SCHEMA_DIFFERS } from "../../src/postgres/schema-differs.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import type { TestDatabase } from "../../src/testing/test-database.ts";
import { outboxDatabase } from "../outbox/outbox-world.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "orrery-migrations-"));
  folders.push(folder);
  for (const [name, up] of Object.entries(files)) {
    const [, table] = /create table (\w+)/.exec(up) ?? [];
    writeFileSync(join(folder, name), `-- Up Migration\n${up};\n-- Down Migration\ndrop table ${table};\n`);
  }
  return folder;
}

const TABLES = {
  name: "test.tables",
  text: `select table_name from information_schema.tables where table_schema = 'public'
    and table_name in ('one', 'two') order by 1`,
};

describe("migrations", () => {
  test("go up all, down one, and up again", async () => {
    await using database = await outboxDatabase();
    await using clean = await emptyDatabase(database.openPool(1), database);
    const directory = folderWith({
      "0001_one.sql": "create table one (id int)",
      "0002_two.sql": "create table two (id int)",
    });
    const settings = { ...clean.settings, directory, logger: quietLogger };
    await migrate({ ...settings, direction: "up" });
    expect(await clean.tables()).toEqual(["one", "two"]);
    await migrate({ ...settings, direction: "down" });
    expect(await clean.tables()).toEqual(["one"]);
    await migrate({ ...settings, direction: "up" });
    await migrate({ ...settings, direction: "up" });
    expect(await clean.tables()).toEqual(["one", "two"]);
  });

  test("refuse a file that was changed or removed after it was applied", async () => {
    await using database = await outboxDatabase();
    await using clean = await emptyDatabase(database.openPool(1), database);
    const directory = folderWith({ "0001_one.sql": "create table one (id int)" });
    const settings = { ...clean.settings, directory, logger: quietLogger, direction: "up" as const };
    await migrate(settings);
    appendFileSync(join(directory, "0001_one.sql"), "-- harmless\n");
    await expect(migrate(settings)).rejects.toThrow("0001_one.sql was changed");
    rmSync(join(directory, "0001_one.sql"));
    await expect(migrate(settings)).rejects.toThrow("0001_one.sql was applied and is gone");
  });

  test("are refused by a service in one line, with an exit code of its own", async () => {
    await using database = await outboxDatabase();
    await using clean = await emptyDatabase(database.openPool(1), database);
    const directory = folderWith({ "0001_one.sql": "create table one (id int)" });
    const { database: name, ...login } = clean.settings;
    const config = { service: "tests", instance: "tests-0", logLevel: "error", database: { ...login, name } };
    const folder = pathToFileURL(directory);
    const said = jest.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      await migrateService(config as never, { folder, direction: "up" });
      expect([process.exitCode, said.mock.calls]).toEqual([undefined, []]);
      appendFileSync(join(directory, "0001_one.sql"), "-- harmless\n");
      await migrateService(config as never, { folder, direction: "up" });
      expect(process.exitCode).toBe(SCHEMA_DIFFERS);
      expect(said.mock.calls).toEqual([[expect.stringMatching(/^migration 0001_one.sql was changed.*\n$/)]]);
    } finally {
      process.exitCode = undefined;
      said.mockRestore();
    }
  });

  test("leave nothing behind when the last of them fails", async () => {
    await using database = await outboxDatabase();
    await using clean = await emptyDatabase(database.openPool(1), database);
    const directory = folderWith({
      "0001_one.sql": "create table one (id int)",
      "0002_two.sql": "create table two (id nonsense)",
    });
    await expect(
      migrate({ ...clean.settings, directory, logger: quietLogger, direction: "up" }),
    ).rejects.toThrow("nonsense");
    expect(await clean.tables()).toEqual([]);
  });
});

/** A database without any table, beside the given one. */
async function emptyDatabase(admin: Pool, { host, port, role, database }: TestDatabase) {
  const name = `${database}_e`;
  await admin.query({ name: "test.create", text: `create database ${name} template template0` }, []);
  const settings = { host, port, role, database: name };
  const pool = openPool({
    ...{ ...settings, size: 1, applicationName: "test", statementTimeoutMs: 5_000, logger: quietLogger },
  });
  return {
    settings,
    tables: async () => (await pool.query<{ table_name: string }>(TABLES, [])).map((row) => row.table_name),
    async [Symbol.asyncDispose]() {
      await pool.end();
      await admin.query({ name: "test.drop", text: `drop database ${name} with (force)` }, []);
    },
  };
}
