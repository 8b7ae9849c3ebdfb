import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { WORKLOADS } from "@orrery/mesh/topology";
import { holders, layDown } from "../src/keeper/keeping.ts";

describe("the keeper", () => {
  let home = "";
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "orrery-keeper-"));
    await layDown(home, { owned: false });
  });
  afterAll(() => rmSync(home, { recursive: true }));

  const leafOf = (name: string) =>
    new X509Certificate(readFileSync(join(home, "identities", name, "cert.pem"), "utf8"));

  test("gives everybody a leaf whose CN is the role and whose names are the process'", () => {
    const authority = new X509Certificate(readFileSync(join(home, "authority/ca.pem"), "utf8"));
    for (const { commonName, workload } of holders(home)) {
      const leaf = leafOf(commonName);
      expect(leaf.checkIssued(authority)).toBe(true);
      expect(leaf.subject).toBe(`CN=${commonName}`);
      expect(
        leaf.subjectAltName?.includes(`spiffe://cluster.local/ns/orrery/sa/${commonName}`) ?? false,
      ).toBe(workload !== undefined);
    }
    expect(holders(home).length).toBe(WORKLOADS.length + 3 + 3 + 2 + 1);
  });

  test("shows the gateway hashes, and keeps the keys and the password where only root reads", () => {
    const shown = readFileSync(join(home, "edge/keys.json"), "utf8");
    const key = readFileSync(join(home, "keys/projects/default/api-key"), "utf8").trim();
    expect(shown).not.toContain(key);
    for (const path of [
      "keys/projects/default/api-key",
      "identities/auditor/pgadmin-password",
      "edge/keys.json",
    ]) {
      expect([path, statSync(join(home, path)).mode & 0o077]).toEqual([path, 0]);
    }
  });

  test("keeps what it has made: a second start changes no key and no authority", async () => {
    const paths = ["authority/ca.pem", "edge/keys.json", "identities/auditor/pgadmin-password"];
    const before = paths.map((path) => readFileSync(join(home, path), "utf8"));
    await layDown(home, { owned: false });
    expect(paths.map((path) => readFileSync(join(home, path), "utf8"))).toEqual(before);
  });
});
