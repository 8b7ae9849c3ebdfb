import { existsSync } from "node:fs";
import { expect, test } from "@jest/globals";
import pg from "pg";

test("the test bed's PostgreSQL trades no durability for speed", async () => {
  const client = new pg.Client({ connectionString: process.env.ORRERY_TEST_POSTGRES });
  await client.connect();
  const { rows } = await client.query(
    "select current_setting('fsync') f, current_setting('synchronous_commit') s",
  );
  await client.end();
  expect(rows).toEqual([{ f: "on", s: "on" }]);
});

test("the test bed names a nats-server that is there", () => {
  expect(existsSync(process.env.ORRERY_TEST_NATS_SERVER ?? "")).toBe(true);
});

test("the test bed's Elasticsearch boots when it is first asked", async () => {
  const response = await fetch(`${process.env.ORRERY_TEST_ELASTICSEARCH}/_cluster/health`);
  expect(response.status).toBe(200);
});
