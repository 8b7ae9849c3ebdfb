import { readFileSync } from "node:fs";
import type { RunFile } from "../../dev/testing/platform.ts";

/** Clock ticks in a second, which Linux gives out to programs: 100 on every architecture that Node runs on. */
const TICKS_A_SECOND = 100;
const MICROSECONDS_A_TICK = 1_000_000 / TICKS_A_SECOND;

/** What each part of a platform used of the processors, in microseconds, by its name. */
export type CpuLedger = ReadonlyMap<string, number>;

/**
 * Reads what each part has used since it was started, replicas together: user and system time from proc(5) stat. Of
 * PostgreSQL all its processes count, and those that have ended.
 */
export function readLedger(run: RunFile): CpuLedger {
  const services = Object.entries(run.services).map(([name, replicas]): [string, number] => [
    name,
    replicas.reduce((sum, { pid }) => sum + timesOf(pid).own, 0),
  ]);
  const watchers = Object.entries({ prometheus: run.prometheus, alertmanager: run.alertmanager });
  const server = timesOf(run.postgres.pid);
  const backends = childrenOf(run.postgres.pid).reduce((sum, pid) => sum + timesOf(pid).own, 0);
  return new Map([
    ...services,
    ["postgres", server.own + server.ofEnded + backends],
    ["nats", timesOf(run.nats.pid).own],
    ...watchers.flatMap(([name, watcher]): [string, number][] =>
      watcher === null ? [] : [[name, timesOf(watcher.pid).own]],
    ),
  ]);
}

/** What was used between two readings. */
export function used(before: CpuLedger, after: CpuLedger): CpuLedger {
  return new Map([...after].map(([name, total]) => [name, total - (before.get(name) ?? 0)]));
}

/** What all parts used together. */
export const total = (ledger: CpuLedger): number => [...ledger.values()].reduce((sum, part) => sum + part, 0);

/** Fields 14 to 17: of the process itself, and of its children that have ended and were waited for. */
function timesOf(pid: number): { readonly own: number; readonly ofEnded: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
    return {
      own: (user + system) * MICROSECONDS_A_TICK,
      ofEnded: (endedUser + endedSystem) * MICROSECONDS_A_TICK,
    };
  } catch {
    return { own: 0, ofEnded: 0 }; // it has ended since it was listed
  }
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}
