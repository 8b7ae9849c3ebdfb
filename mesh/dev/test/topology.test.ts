import { existsSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { CLIENTS, poolSize, RESERVED_CONNECTIONS, WORKLOADS } from "@orrery/mesh/topology";
import { ROOT } from "../src/places.ts";
import { MAX_CONNECTIONS } from "../src/postgres-cluster.ts";

const REPLICAS = 2;

describe("the topology", () => {
  test("asks for no more connections, at two replicas of everything, than PostgreSQL takes", () => {
    const asked = WORKLOADS.reduce(
      (sum, { database }) => sum + (database ? REPLICAS * poolSize(database) : 0),
      0,
    );
    expect(asked + RESERVED_CONNECTIONS).toBeLessThanOrEqual(MAX_CONNECTIONS);
  });

  test("gives no two workloads one database, role or name", () => {
    const databases = WORKLOADS.flatMap(({ database }) => database ?? []);
    const names = databases.flatMap(({ name, role, ownerRole }) => [`database ${name}`, role, ownerRole]);
    expect(new Set(names).size).toBe(names.length);
    const identities = [...WORKLOADS, ...CLIENTS].map(({ name }) => name);
    expect(new Set(identities).size).toBe(identities.length);
  });

  test("names folders that exist and peers that are in it", () => {
    const names = WORKLOADS.map(({ name }) => name);
    for (const { folder, peers } of WORKLOADS) {
      expect(existsSync(`${ROOT}/${folder}`)).toBe(true);
      expect(names).toEqual(expect.arrayContaining([...peers]));
    }
  });

  test("lets nobody delete or purge a stream, and no service leave its own subjects", () => {
    const publish = [...WORKLOADS, ...CLIENTS].flatMap(({ nats }) => nats?.publish ?? []);
    expect(
      publish.filter((subject) =>
        /STREAM\.(DELETE|PURGE)|^(>|\$JS\.>|\$JS\.API\.>|orrery\.>)$/.test(subject),
      ),
    ).toEqual([]);
    for (const { name, nats } of WORKLOADS) {
      for (const inbox of nats?.subscribe.filter((subject) => subject.startsWith("_INBOX")) ?? []) {
        expect(inbox).toBe(`_INBOX.${name}.>`);
      }
    }
  });
});
