import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { runProgram } from "../../dev/src/binaries/program.ts";
import { DOCKERFILE, type Stage, stagesOf } from "./dockerfile.ts";
import { ROOT } from "./resources.ts";

/** What `Dockerfile.dockerignore` keeps out of a copy, as far as it lies in what is copied. */
const IGNORED = /(^|\/)(node_modules|test|testing|stories|coverage|dist)(\/|$)/;

/**
 * Does in a folder what the Dockerfile does in an image, for one workspace: packages, and what the last stage copies.
 * The stage of the web page is left out: the test of the web page builds it.
 *
 * @returns where `/app` of the image is
 */
export async function runSteps(workspace: string, into: string): Promise<string> {
  const [packages, , last] = stagesOf(DOCKERFILE);
  if (packages === undefined || last === undefined) throw new Error("the Dockerfile has not three stages");
  const built = join(into, "packages");
  await doAll(packages, workspace, { app: built, from: {} });
  const app = join(into, "app");
  await doAll(last, workspace, { app, from: { packages: built } });
  return app;
}

interface Place {
  readonly app: string;
  readonly from: Readonly<Record<string, string>>;
}

async function doAll({ instructions }: Stage, workspace: string, place: Place): Promise<void> {
  for (const { word, rest } of instructions) {
    const said = rest.replaceAll(`\${WORKSPACE}`, workspace);
    if (word === "COPY") copy(said.split(" "), place);
    if (word === "RUN") await run(said, place.app);
  }
}

function copy(words: readonly string[], { app, from }: Place): void {
  const stage = /^--from=(\w+)$/.exec(words[0] ?? "")?.[1];
  const [sources, target = ""] = [words.slice(stage === undefined ? 0 : 1, -1), words.at(-1)];
  if (stage !== undefined && !(stage in from)) return; // the page
  for (const source of sources) {
    const path =
      stage === undefined ? join(ROOT, source) : join(from[stage] ?? "", source.replace(/^\/app\//, ""));
    const to = target.endsWith("/") ? join(app, target, source.split("/").pop() ?? "") : join(app, target);
    mkdirSync(dirname(to), { recursive: true });
    // Links stay as they are: npm links each workspace by a relative one.
    const filter = (one: string): boolean => stage !== undefined || !IGNORED.test(one.slice(ROOT.length + 1));
    cpSync(path, to, { recursive: true, verbatimSymlinks: true, filter });
  }
}

async function run(command: string, cwd: string): Promise<void> {
  const [program = "", ...args] = command.split(" ");
  const { ok, output } = await runProgram(program, args, { cwd, withinMs: 180_000 });
  if (!ok) throw new Error(`${command}\n${output}`);
}
