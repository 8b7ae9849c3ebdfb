import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const DEPENDENCIES = ["@bufbuild/protobuf", "@connectrpc/connect", "leven"];
const run = promisify(execFile);
const quiet = { ...process.env, NODE_OPTIONS: "", npm_config_loglevel: "error", npm_config_offline: "true" };

let bed: string;
let stranger: string;
let packedFiles: readonly string[];

/** As much of the checkout as packing needs, so that no package.json changes under whoever else reads it. */
function copyOfTheCheckout(): string {
  const copy = join(bed, "checkout");
  for (const path of ["LICENSE", "mesh/tsconfig.json", "edge/transcoder"])
    cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  return join(copy, "edge/transcoder");
}

beforeAll(async () => {
  bed = mkdtempSync(join(tmpdir(), "transcoder-packed-"));
  stranger = join(bed, "stranger");
  mkdirSync(stranger);
  const copy = copyOfTheCheckout();
  const before = readFileSync(join(copy, "package.json"), "utf8");
  // What it depends on is packed from where it is installed, so that nothing is downloaded.
  const sources = [copy, ...DEPENDENCIES.map((name) => join(ROOT, "node_modules", name))];
  await run("npm", ["pack", "--pack-destination", stranger, ...sources], { cwd: copy, env: quiet });
  expect(readFileSync(join(copy, "package.json"), "utf8")).toBe(before);
  const archives = readdirSync(stranger).map((name) => `./${name}`);
  expect(archives).toHaveLength(sources.length);
  writeFileSync(join(stranger, "package.json"), '{ "private": true, "type": "module" }\n');
  await run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", ...archives], {
    cwd: stranger,
    env: quiet,
  });
  packedFiles = readdirSync(join(stranger, "node_modules/@orrery/transcoder"), { recursive: true }).map(
    String,
  );
  for (const name of ["descriptors.binpb", "packed/echo-server.ts"])
    cpSync(fileURLToPath(new URL(name, import.meta.url)), join(stranger, name.replace("packed/", "")));
}, 60_000);

afterAll(() => rmSync(bed, { recursive: true, force: true }));

test("what is packed is JavaScript with declarations and a licence, and no source", () => {
  expect(packedFiles).toEqual(
    expect.arrayContaining(["package.json", "README.md", "dist/index.js", "dist/index.d.ts", "dist/LICENSE"]),
  );
  expect(packedFiles.filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))).toEqual([]);
});

test("all that is installed beside it is what it says it depends on", () => {
  const modules = join(stranger, "node_modules");
  const installed = readdirSync(modules)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(modules, name)).map((one) => `${name}/${one}`) : [name],
    );
  expect(installed.toSorted()).toEqual([...DEPENDENCIES, "@orrery/transcoder"].toSorted());
});

test("in an empty folder it serves a proto that it has never seen, on Node alone", async () => {
  const server = spawn("node", ["echo-server.ts", "descriptors.binpb"], { cwd: stranger, env: quiet });
  try {
    const [port] = (await once(createInterface(server.stdout), "line")) as [string];
    const url = `http://127.0.0.1:${port}/v1beta1/repeat:body`;
    const body = JSON.stringify({ name: "ä", info: { fString: "s", fInt64: "9007199254740993" } });
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect([answer.status, await answer.json()]).toMatchObject([200, { request: JSON.parse(body) }]);
    const refused = await fetch(url, { method: "POST", body: '{"info":{"fInt32":"x"}}' });
    expect(refused.status).toBe(415);
    const wrong = await fetch(`http://127.0.0.1:${port}/v1beta1/repeat:query?info.fInt32=x`);
    expect(await wrong.json()).toMatchObject({ status: 400, fieldViolations: [{ field: "info.fInt32" }] });
  } finally {
    server.kill();
    await once(server, "close");
  }
});

test("its declarations say the same types as its source", async () => {
  symlinkSync(join(ROOT, "node_modules/@types"), join(stranger, "node_modules/@types"));
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2024"];
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const found = await run(tsc, [...options, "--types", "node", "echo-server.ts"], { cwd: stranger }).catch(
    (failure: { stdout: string }) => failure,
  );
  expect(found.stdout).toBe("");
});
