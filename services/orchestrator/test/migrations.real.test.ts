import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { migrate } from "@orrery/mesh/postgres/migrate";
import { quietLogger } from "@orrery/mesh/testing/quiet-logger";
import { testDatabase } from "@orrery/mesh/testing/test-database";

const directory = fileURLToPath(new URL("../migrations", import.meta.url));
const TABLES = {
  name: "test.tables",
  text: `select relname::text as name from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v') and relname not like 'migration%'`,
};

test("the schema goes down without a trace, and up again", async () => {
  await using database = await testDatabase({
    migrations: directory,
    name: "orchestrator",
    roles: ["orchestrator"],
  });
  const { host, port, role } = database;
  const settings = { host, port, role, database: database.database, directory, logger: quietLogger };
  const pool = database.openPool(1);
  await migrate({ ...settings, direction: "down" });
  expect(await pool.query(TABLES, [])).toEqual([]);
  await migrate({ ...settings, direction: "up" });
  const names = (await pool.query<{ name: string }>(TABLES, [])).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(["mission", "mission_step", "step_job", "mission_audit", "outbox"]),
  );
});
