import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { Command } from "commander";
import { parse } from "yaml";
import { programOf } from "../../../edge/cli/src/program.ts";
import { runbooks } from "./alert-rules.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
/** Who writes a log beside the services. */
const LOGS = new Set(["gateway", "postgres", "nats", "elasticsearch"]);
const SECTIONS = ["What it means", "Check", "Action", "Over when"];
const program = programOf("0.0.0", { surroundings: {} as never, done: () => undefined });
const targets = new Set(
  [...readFileSync(join(ROOT, "Makefile"), "utf8").matchAll(/^([a-z-]+):.*##/gm)].map(([, target]) => target),
);
const surface = parse(readFileSync(join(ROOT, "contracts/surface.yaml"), "utf8")) as {
  readonly routes: readonly string[];
  readonly pages: readonly string[];
};

/** Every command of every runbook: the lines of its fenced blocks. */
const commands = [...runbooks()].flatMap(([name, text]) =>
  [...text.matchAll(/```\n([\s\S]*?)```/g)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .filter((line) => line.trim() !== "")
    .map((line) => [name, line] as const),
);

/** The words of a shell line; quotes hold words together. */
const wordsOf = (line: string): readonly string[] =>
  (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'|'$/g, ""));

function routeIsThere(method: string, path: string): boolean {
  const [bare = ""] = path.split("?");
  const isPage = surface.pages.includes(bare);
  const isRoute = surface.routes.some((route) => {
    const [verb, template = ""] = route.split(" ");
    const pattern = template.split(/\{[^}]*\}/).map((part) => part.replace(/[.*+?^$()|[\]\\]/g, "\\$&"));
    return verb === method && new RegExp(`^${pattern.join("[^/]+")}$`).test(bare);
  });
  return isPage || isRoute;
}

/** What is wrong with a line of `npx orrery …`; empty where it could be run. */
function cliProblem(words: readonly string[]): string {
  let command: Command = program;
  let rest = words;
  for (;;) {
    const [name = "", ...after] = rest;
    const next = command.commands.find((one) => one.name() === name || one.aliases().includes(name));
    if (next === undefined) break;
    command = next;
    rest = after;
  }
  if (command === program || command.commands.length > 0) return `no command ${words.join(" ")}`;
  const { operands, unknown } = command.parseOptions([...rest]);
  if (unknown.length > 0) return `${command.name()} has no ${unknown[0]}`;
  if (operands.length < command.registeredArguments.filter(({ required }) => required).length)
    return "too few arguments";
  const [method = "", path = ""] = operands;
  if (command.name() === "api" && !routeIsThere(method, path)) return `no route ${method} ${path}`;
  return "";
}

/** What is wrong with a line; empty where it could be run. */
function problemOf(line: string): string {
  const [first = "", ...words] = wordsOf(line);
  switch (first) {
    case "make":
      return targets.has(words[0] ?? "") ? "" : `no target ${words[0]}`;
    case "npx":
      return words[0] === "orrery" ? cliProblem(words.slice(1)) : "npx runs orrery only";
    case "curl": {
      const url = words.find((word) => word.startsWith("http"));
      return url !== undefined && routeIsThere("GET", new URL(url).pathname) ? "" : "no such route";
    }
    case "tail": {
      const [, writer = "none"] = /^\.orrery\/logs\/([a-z]+)(-0)?\.log$/.exec(words.at(-1) ?? "") ?? [];
      return LOGS.has(writer) || existsSync(join(ROOT, "services", writer)) ? "" : "no such log";
    }
    default:
      return `${first} is no command that a runbook may name`;
  }
}

describe("every runbook", () => {
  test.each([...runbooks()])(
    "%s says what it means, what to check, what to do and when it is over",
    (_name, text) => {
      const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
      expect(headings).toEqual(SECTIONS);
      expect(text).toMatch(/^# \S/);
    },
  );

  test.each([...runbooks()])("%s leads nowhere that does not exist", (_name, text) => {
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => !existsSync(join(ROOT, "mesh/observability/runbooks", link)));
    expect(broken).toEqual([]);
  });

  test.each(commands)("%s: `%s` exists", (_name, line) => {
    expect(problemOf(line)).toBe("");
  });
});

describe("the check of commands can fail", () => {
  test.each([
    ["make nonsense", "no target"],
    ["npx orrery job explode ID", "no command"],
    ["npx orrery job ls --nonsense", "has no --nonsense"],
    ["npx orrery job get", "too few"],
    ["npx orrery api GET /v1/nonsense", "no route"],
    ["curl -s http://127.0.0.1:4040/v2/jobs", "no such route"],
    ["tail -n 5 .orrery/logs/nonsense-0.log", "no such log"],
    ["rm -rf data", "no command that"],
  ])("%s: %s", (line, problem) => {
    expect(problemOf(line)).toContain(problem);
  });
});
