import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Whether a process of that id is there, whoever's it is. A zombie that nobody has waited for yet is gone.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return procStat(pid)?.state !== "Z";
}

/**
 * When a process began, as a mark that no other process of the same id can carry: ids are given out again,
 * and a platform must never end a stranger's process. On Linux it is the boot's id and the start in clock
 * ticks since.
 *
 * @returns undefined when there is no such process
 */
export function startMark(pid: number): string | undefined {
  if (process.platform !== "linux") return psStart(pid);
  const started = procStat(pid)?.started;
  if (started === undefined) return undefined;
  return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}:${started}`;
}

/** Whether the process that carried this mark still runs. */
export const isSame = (pid: number, mark: string): boolean => isAlive(pid) && startMark(pid) === mark;

/** The command line of a process, as far as it can be read: empty when it cannot. */
export function commandLine(pid: number): string {
  try {
    if (process.platform !== "linux") return psField(pid, "command");
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // it is gone
  }
}

/** Fields 3 and 22 of proc(5) stat; the name in field 2 may hold spaces and brackets. */
function procStat(pid: number): { readonly state: string; readonly started: string } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return { state: fields[0] ?? "", started: fields[19] ?? "" };
  } catch {
    return undefined; // gone, or no /proc here
  }
}

function psStart(pid: number): string | undefined {
  try {
    return psField(pid, "lstart") || undefined;
  } catch {
    return undefined; // ps ends non-zero for a process that is not there
  }
}

const psField = (pid: number, field: string): string =>
  execFileSync("ps", ["-o", `${field}=`, "-p", String(pid)], { encoding: "utf8" }).trim();
