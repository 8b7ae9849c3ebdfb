import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { findConnection } from "../src/connection.ts";

const root = mkdtempSync(join(tmpdir(), "orrery-cli-"));
const below = join(root, "a/b");
mkdirSync(below, { recursive: true });
mkdirSync(join(root, ".orrery"));
for (const project of ["demo", "second"]) writeFileSync(join(root, `${project}.key`), `orr_${project}\n`);
const keys = (project: string) => ({ apiKeyFile: join(root, `${project}.key`), readKeyFile: "" });
const file = {
  pid: 1,
  edge: "http://127.0.0.1:4040",
  edges: ["http://127.0.0.1:4040", "http://127.0.0.1:4042"],
  projects: { demo: keys("demo"), second: keys("second") },
};
writeFileSync(join(root, ".orrery/run.json"), JSON.stringify(file));
afterAll(() => rmSync(root, { recursive: true }));

describe("the platform is found", () => {
  test("by run.json in a folder above, with the first project's key", () => {
    expect(findConnection({}, {}, below)).toMatchObject({
      url: file.edge,
      key: "orr_demo",
      project: undefined,
    });
  });

  test("by ORRERY_HOME before any folder", () => {
    expect(findConnection({}, { ORRERY_HOME: join(root, ".orrery") }, "/")).toMatchObject({
      key: "orr_demo",
    });
  });

  test("with another project's key where one is named", () => {
    expect(findConnection({ project: "second" }, {}, below)).toMatchObject({
      key: "orr_second",
      project: "second",
    });
    expect(() => findConnection({ project: "third" }, {}, below)).toThrow(/no project third.*demo, second/);
  });

  test("by a flag before the environment, and by the environment before run.json", () => {
    const env = { ORRERY_URL: "http://env/", ORRERY_API_KEY: "from-env" };
    expect(findConnection({}, env, below)).toMatchObject({ url: "http://env", key: "from-env" });
    expect(findConnection({ url: "http://flag" }, env, below)).toMatchObject({
      url: "http://flag",
      key: "from-env",
    });
    const keyFile = join(root, "second.key");
    expect(findConnection({ keyFile }, env, below)).toMatchObject({ key: "orr_second" });
    expect(findConnection({}, { ...env, ORRERY_API_KEY_FILE: keyFile }, below)).toMatchObject({
      key: "orr_second",
    });
  });

  test("and a key of run.json goes to an edge of run.json only", () => {
    expect(findConnection({ url: "http://127.0.0.1:4042" }, {}, below).key).toBe("orr_demo");
    expect(findConnection({ url: "http://elsewhere" }, {}, below).key).toBeUndefined();
  });

  test("or it is said what to do", () => {
    expect(() => findConnection({}, {}, tmpdir())).toThrow(/no platform is known here/);
    expect(() => findConnection({ keyFile: "/nowhere" }, {}, below)).toThrow(/\/nowhere.*ENOENT/);
  });
});
