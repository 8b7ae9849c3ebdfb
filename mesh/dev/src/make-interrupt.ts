import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 500;
/** Signal 2 in the masks of proc(5). */
const SIGINT_BIT = 0x2n;
const MAKES: readonly (string | undefined)[] = ["make", "gmake"];

/**
 * Hears of a SIGINT that went to `make` alone, as `kill -INT` sends it to the process that `make run` is.
 *
 * GNU make passes SIGTERM on to its recipe and SIGINT to nobody: it counts on the terminal, which tells the whole
 * group, and waits for the recipe's end. Nothing in a Makefile changes that. But it gives its handler up before it
 * waits, and Linux shows which signals a process handles. Elsewhere, and below any other parent, this does nothing.
 *
 * @param act - called at most once; at Ctrl-C too, where this process has a SIGINT of its own besides
 */
export function whenMakeIsInterrupted(act: () => void): void {
  if (isInterruptedMake(process.ppid) === undefined) return;
  const timer = setInterval(() => {
    if (isInterruptedMake(process.ppid) !== true) return;
    clearInterval(timer);
    act();
  }, LOOK_EVERY_MS).unref();
}

/** @returns undefined where the process is no make, or cannot be looked at */
function isInterruptedMake(pid: number): boolean | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return undefined; // gone, or no /proc here
  }
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
  if (!MAKES.includes(field("Name"))) return undefined;
  // A shell's background job ignores SIGINT from its start: that is no interrupt.
  const minded = BigInt(`0x${field("SigCgt")}`) | BigInt(`0x${field("SigIgn")}`);
  return (minded & SIGINT_BIT) === 0n;
}
