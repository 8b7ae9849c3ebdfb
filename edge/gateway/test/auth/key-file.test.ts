import { createHash } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createLogger } from "@orrery/mesh/telemetry/logger";
import { eventually } from "@orrery/mesh/testing/eventually";
import { openKeyFile, parseKeyFile } from "../../src/auth/key-file.ts";

const sha256 = (secret: string) => createHash("sha256").update(secret).digest("hex");
const entry = (secret: string, change: object = {}) => ({
  ...{ id: `id-${secret}`, sha256: sha256(secret), project: "demo", scopes: ["read", "submit"] },
  ...change,
});
const fileOf = (...keys: object[]) => JSON.stringify({ keys });

describe("the key file", () => {
  let folder: string;
  let path: string;
  const lines: string[] = [];
  const logger = createLogger({
    service: "gateway",
    instance: "gateway-0",
    level: "info" as const,
    write: (line) => void lines.push(line),
  });
  beforeEach(async () => {
    lines.length = 0;
    folder = await mkdtemp(join(tmpdir(), "keys-"));
    path = join(folder, "keys.json");
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("finds a caller by the secret whose hash it holds, and nobody by another", async () => {
    await writeFile(path, fileOf(entry("one"), entry("two", { project: "second", scopes: ["admin"] })));
    using keys = openKeyFile({ path, logger });
    expect(keys.find("one")).toEqual({ id: "id-one", project: "demo", scopes: ["read", "submit"] });
    expect(keys.find("two")).toEqual({ id: "id-two", project: "second", scopes: ["admin"] });
    expect(keys.find("three")).toBeUndefined();
    expect(keys.find(sha256("one"))).toBeUndefined();
  });

  test("takes a file that replaced it into use, and forgets the keys that are gone", async () => {
    await writeFile(path, fileOf(entry("old")));
    using keys = openKeyFile({ path, logger, pollMs: 20 });
    await writeFile(`${path}.new`, fileOf(entry("new")));
    await rename(`${path}.new`, path);
    await eventually(() => expect(keys.find("new")).toBeDefined());
    expect(keys.find("old")).toBeUndefined();
  });

  test("keeps the keys in force when the new file cannot be read, and logs that", async () => {
    await writeFile(path, fileOf(entry("old")));
    using keys = openKeyFile({ path, logger, pollMs: 20 });
    await writeFile(path, "{ not json");
    await eventually(() => expect(lines.join("")).toContain("stay in force"));
    expect(keys.find("old")).toBeDefined();
    expect(lines.join("")).not.toContain(sha256("old"));
  });
});

test.each([
  ["no JSON", "{", /JSON/],
  ["no list of keys", "{}", /keys/],
  ["an entry that is no object", '{"keys":[1]}', /keys\[0\] is not an object/],
  ["a key without an id", fileOf(entry("a", { id: "" })), /keys\[0\]\.id/],
  ["a key without a project", fileOf(entry("a"), entry("b", { project: 1 })), /keys\[1\]\.project/],
  ["a hash that is none", fileOf(entry("a", { sha256: "A".repeat(64) })), /sha256/],
  ["scopes that are no list", fileOf(entry("a", { scopes: "read" })), /scopes is not a list/],
  [
    "a scope that there is not",
    fileOf(entry("a", { scopes: ["root"] })),
    /may hold read, submit, work and admin/,
  ],
])("a key file with %s is refused as a whole", (_, text, message) => {
  expect(() => parseKeyFile(text)).toThrow(message);
});
