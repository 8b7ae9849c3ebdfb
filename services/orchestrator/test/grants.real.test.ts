import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestDatabase, testDatabase } from "@orrery/mesh/testing/test-database";

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));
const REFUSED = { cause: { code: "42501" } };

let database: TestDatabase;
beforeAll(async () => {
  const roles = ["orchestrator", "jobs", "observatory"];
  database = await testDatabase({ migrations: MIGRATIONS, name: "orchestrator", roles });
});
afterAll(async () => database[Symbol.asyncDispose]());

const attempt = (role: string, text: string) =>
  database.openPool(1, { role }).query({ name: text, text }, []);

describe("the database's grants", () => {
  test("nobody else can write missions", async () => {
    for (const role of ["jobs", "observatory"]) {
      for (const text of [
        "select count(*) from mission",
        "insert into mission (id) values (gen_random_uuid())",
        "update mission set status = 'SUCCEEDED'",
        "delete from mission",
        "update mission_step set status = 'SUCCEEDED'",
        "update step_job set errand = null",
        "insert into mission_audit (note) values ('')",
        "insert into outbox (payload) values ('')",
      ])
        await expect(attempt(role, text)).rejects.toMatchObject(REFUSED);
    }
  });

  test("the service's own role can neither delete a mission, nor unwrite its record, nor change a table", async () => {
    for (const text of [
      "delete from mission",
      "delete from step_job",
      "update mission_audit set note = ''",
      "delete from mission_audit",
      "update outbox set payload = ''",
      "alter table mission add column x text",
      "drop table mission",
    ])
      await expect(attempt("orchestrator", text)).rejects.toMatchObject(REFUSED);
  });

  test("a transaction that was opened for one project sees no mission of another, and writes none", async () => {
    const owner = database.openPool(1);
    await owner.query(MISSION_OF_DEMO, []);
    const own = database.openPool(1, { role: "orchestrator" });
    const changed = (projects: readonly string[]) =>
      own.transaction((tx) => tx.query<{ id: string }>(TOUCH, []), { projects });
    expect(await changed(["second"])).toEqual([]);
    expect(await changed(["second", "demo"])).toHaveLength(1);
  });
});

const TOUCH = { name: "test.touch", text: "update mission set name = 'touched' returning id" };
const MISSION_OF_DEMO = {
  name: "test.insert",
  text: `insert into mission (id, project, name, status, version, direction, shape, step_inputs, labels, principal,
  correlation_id, traceparent, create_time, value_bytes)
values (gen_random_uuid(), 'demo', 'm', 'PENDING', 1, 'FORWARD', '[]', '[]', '{}', 'ann', '', '', now(), 0)`,
};
