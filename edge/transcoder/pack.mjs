// Runs around `npm pack`. In the workspace the package is its source, which Node loads by type stripping; below
// node_modules Node strips no types, so what is packed is JavaScript with declarations, and a package.json that says so.
//
// begin: writes dist/, and puts `publishConfig` over the top level of package.json.
// end: puts package.json back, and takes dist/ away. After a run that was cut off, the next begin does.
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";

const folder = new URL("./", import.meta.url);
const at = (path) => new URL(path, folder);
// Not in dist/, so that it is not packed; npm leaves out what `files` does not name.
const kept = at("package.json.kept");

if (process.argv[2] === "begin") begin();
else end();

function begin() {
  end();
  execFileSync("tsc", ["-p", "tsconfig.pack.json"], { cwd: folder, stdio: "inherit" });
  for (const name of readdirSync(at("dist")))
    if (name.endsWith(".d.ts")) importJavaScript(at(`dist/${name}`));
  copyFileSync(at("../../LICENSE"), at("dist/LICENSE"));
  const {
    publishConfig,
    scripts: _scripts,
    ...manifest
  } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  copyFileSync(at("package.json"), kept);
  writeFileSync(at("package.json"), `${JSON.stringify({ ...manifest, ...publishConfig }, null, 2)}\n`);
}

function end() {
  if (existsSync(kept)) renameSync(kept, at("package.json"));
  rmSync(at("dist"), { recursive: true, force: true });
}

/** tsc rewrites the endings of imports in JavaScript and leaves those in declarations. */
function importJavaScript(file) {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/(from|import\() ?(["'])(\.{1,2}\/[^"']+)\.ts\2/g, "$1 $2$3.js$2"));
}
