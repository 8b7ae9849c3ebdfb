import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSame, startMark } from "./process-table.ts";
import { killGroup } from "./supervised-process.ts";

const OWNER = "owner.pid";

/** Notes in a bed's folder that this process owns it. */
export const recordOwner = (folder: string): void => record(join(folder, OWNER), process.pid);

/** Notes a server of the bed, so that it can be ended when its owner was killed. */
export function recordProcess(folder: string, name: string, pid: number | undefined): void {
  if (pid !== undefined) record(join(folder, `${name}.pid`), pid);
}

/** Ends the servers of every bed on this machine whose owner is gone, and removes its folder. */
export function endAbandonedBeds(): void {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith("orrery-test-bed-"))) {
    const folder = join(tmpdir(), name);
    try {
      if (existsSync(join(folder, OWNER)) && !recorded(join(folder, OWNER)).alive) endBed(folder);
    } catch {
      // another user's bed, or one that another run is just ending
    }
  }
}

function endBed(folder: string): void {
  for (const file of readdirSync(folder).filter((entry) => entry.endsWith(".pid"))) {
    const { pid, alive } = recorded(join(folder, file));
    if (alive) killGroup(pid);
  }
  rmSync(folder, { recursive: true, force: true });
}

function record(file: string, pid: number): void {
  writeFileSync(file, `${pid}\n${startMark(pid) ?? ""}\n`, { mode: 0o600 });
}

function recorded(file: string): { readonly pid: number; readonly alive: boolean } {
  const [id = "", mark = ""] = readFileSync(file, "utf8").split("\n");
  return { pid: Number(id), alive: isSame(Number(id), mark) };
}
