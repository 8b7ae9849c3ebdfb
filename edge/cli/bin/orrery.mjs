#!/usr/bin/env node
// Plain JavaScript, so that any node can start it: it answers --version itself, and hands everything else to
// the program under a node that runs TypeScript by stripping types.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NODE_NEEDED = 24;
// `orrery job ls | head` closes the pipe when it has enough: that is no failure of ours.
process.stdout.on("error", (error) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
const here = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);

if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  const { version } = JSON.parse(readFileSync(join(here, "../package.json"), "utf8"));
  process.stdout.write(`orrery ${version}\n`);
} else if (Number.parseInt(process.versions.node, 10) >= NODE_NEEDED) {
  // Keeps the stripped and compiled files between runs.
  module.enableCompileCache?.();
  const { main } = await import("../src/main.ts");
  process.exitCode = await main(args, process);
} else {
  runWith(newerNode(here));
}

/** The node that the checkout brings along: the nearest node_modules/.bin/node above this file. */
function newerNode(from) {
  const candidate = join(from, "node_modules/.bin/node");
  if (existsSync(candidate)) return candidate;
  return dirname(from) === from ? undefined : newerNode(dirname(from));
}

function runWith(node) {
  if (node === undefined) {
    process.stderr.write(
      `error: orrery needs Node ${NODE_NEEDED}, this is ${process.versions.node}\nfix: npm ci\n`,
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...args], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both; the child decides what it means. What is sent to this one alone is
  // passed on.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
