import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { replaceFile } from "./owned-file.ts";
import { isSame, startMark } from "./process-table.ts";
import { killGroup } from "./supervised-process.ts";

/** A process by an id and a mark that no later process of that id carries. */
interface Recorded {
  readonly name: string;
  readonly pid: number;
  readonly mark: string;
}

interface Launch {
  readonly launcher: Recorded;
  readonly children: readonly Recorded[];
}

/** Another launcher runs on this home. */
export class AlreadyRunning extends Error {}

const GRACE_MS = 5_000;

/**
 * Who launched what in a home. Claimed before anything starts, so that a second launcher finds the first, and
 * one that comes after a launcher was killed ends what that one left running: by process id, and only where
 * the process is still the one that was recorded.
 */
export class LaunchRecord {
  readonly #file: string;
  readonly #children = new Map<string, Recorded>();

  private constructor(file: string) {
    this.#file = file;
  }

  /**
   * Takes a home for this process.
   *
   * @returns the record, and the names of the processes that a launcher before had left and that were ended
   * @throws AlreadyRunning
   */
  static async claim(home: string): Promise<{ record: LaunchRecord; ended: readonly string[] }> {
    const file = join(home, "launcher.json");
    const record = new LaunchRecord(file);
    for (let tries = 0; tries < 3; tries += 1) {
      try {
        writeFileSync(file, record.#text(), { flag: "wx", mode: 0o600 });
        return { record, ended: [] };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const before = readLaunch(file);
      if (before === undefined) continue;
      const { launcher, children } = before;
      if (isSame(launcher.pid, launcher.mark)) {
        throw new AlreadyRunning(
          `a platform already runs in ${home}: its launcher is process ${launcher.pid}. ` +
            "Stop that one, or start another beside it with ORRERY_HOME=<another folder>",
        );
      }
      const ended = await endAll(children);
      rmSync(file, { force: true });
      writeFileSync(file, record.#text(), { flag: "wx", mode: 0o600 });
      return { record, ended };
    }
    throw new AlreadyRunning(`another launcher is just taking ${home}`);
  }

  /** Notes a process just started, in place of the one of that name before it. */
  note(name: string, pid: number | undefined): void {
    if (pid === undefined) return;
    this.#children.set(name, { name, pid, mark: startMark(pid) ?? "" });
    replaceFile(this.#file, this.#text());
  }

  /** Gives the home free. */
  release(): void {
    rmSync(this.#file, { force: true });
  }

  #text(): string {
    const launcher = { name: "launcher", pid: process.pid, mark: startMark(process.pid) ?? "" };
    const launch: Launch = { launcher, children: [...this.#children.values()] };
    return `${JSON.stringify(launch)}\n`;
  }
}

/**
 * A file that is gone again, or was cut off by a crash of the machine, records nothing that could still run.
 */
function readLaunch(file: string): Launch | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Launch;
  } catch {
    rmSync(file, { force: true });
    return undefined;
  }
}

/** Asks all that still run to end, latest started first, and kills what has not after five seconds. */
async function endAll(children: readonly Recorded[]): Promise<readonly string[]> {
  const running = children.filter(({ pid, mark }) => isSame(pid, mark)).reverse();
  // SIGINT is the orderly end of each: of PostgreSQL it is the one that does not wait for its clients.
  for (const { pid } of running) process.kill(pid, "SIGINT");
  const end = performance.now() + GRACE_MS;
  while (running.some(({ pid, mark }) => isSame(pid, mark)) && performance.now() < end) await wait(50);
  for (const { pid, mark } of running) if (isSame(pid, mark)) killGroup(pid);
  return running.map(({ name }) => name);
}
