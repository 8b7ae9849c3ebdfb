/**
 * `make teeth`: breaks each promise once, in a copy of the last commit, and asks whether the check that guards it
 * fails. A check that passes on a broken promise has no teeth, and the command ends non-zero.
 *
 * With `SEED=n` it draws ten rules of the constitution among those that have a break here, and breaks these.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BREAKS, type Break } from "./breaks.ts";
import { ROOT } from "./source-tree.ts";

/** A copy of the last commit that runs: packages are linked, the workspaces are its own. */
function copyOfHead(): string {
  const copy = mkdtempSync(join(tmpdir(), "orrery-teeth-"));
  execFileSync("git", ["clone", "-q", "--shared", ROOT, copy]);
  linkPackages("node_modules", copy);
  mkdirSync(join(copy, "node_modules/@orrery"));
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    workspaces: string[];
  };
  const folders = workspaces.flatMap((pattern) =>
    pattern.endsWith("/*")
      ? readdirSync(join(copy, pattern.slice(0, -2))).map((name) => `${pattern.slice(0, -2)}/${name}`)
      : [pattern],
  );
  for (const folder of folders) {
    symlinkSync(join(copy, folder), join(copy, "node_modules/@orrery", folder.split("/").pop() ?? ""));
    // A workspace has packages of its own where another one needs the same in a different version.
    const own = join(folder, "node_modules");
    if (existsSync(join(ROOT, own))) linkPackages(own, copy);
  }
  return copy;
}

/** Links each package, not their folder: a link of that name is no folder to git, and would count as a file of ours. */
function linkPackages(folder: string, copy: string): void {
  mkdirSync(join(copy, folder));
  for (const name of readdirSync(join(ROOT, folder))) {
    if (name !== "@orrery") symlinkSync(join(ROOT, folder, name), join(copy, folder, name));
  }
}

/** Whether a command fails, given ten minutes. */
function fails([program = "", ...args]: readonly string[], copy: string): Promise<boolean> {
  const env = {
    ...process.env,
    NODE_OPTIONS: "--experimental-vm-modules --disable-warning=ExperimentalWarning",
  };
  return new Promise((done) => {
    execFile(program, args, { cwd: copy, env, timeout: 600_000, maxBuffer: 1 << 26 }, (error) =>
      done(error !== null),
    );
  });
}

/** Ten breaks, drawn by a seed: the same ones for the same seed (a linear congruential generator, after Knuth). */
function drawn(seed: number): readonly Break[] {
  let state = BigInt(seed);
  const next = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 33n);
  };
  const left = [...BREAKS];
  return Array.from({ length: Math.min(10, left.length) }, () => left.splice(next() % left.length, 1)).flat();
}

const seed = process.env.SEED;
const chosen = seed === undefined || seed === "" ? BREAKS : drawn(Number.parseInt(seed, 10));
let toothless = 0;
for (const { rule, promise, apply, check } of chosen) {
  const copy = copyOfHead();
  try {
    const sound = !(await fails(check, copy));
    apply(copy);
    const caught = sound && (await fails(check, copy));
    if (!caught) toothless += 1;
    const verdict = caught ? "caught" : sound ? "MISSED" : "UNSOUND BEFORE";
    process.stdout.write(
      `${verdict.padEnd(8)} ${rule.padEnd(4)} ${promise.padEnd(46)} by ${check.join(" ")}\n`,
    );
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
process.stdout.write(`\n${chosen.length - toothless} passed, ${toothless} failed\n`);
process.exitCode = toothless === 0 ? 0 : 1;
