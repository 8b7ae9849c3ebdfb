import type { Platform } from "../../dev/testing/platform.ts";
import type { Journal } from "./journal.ts";

/** The processes that a run kills, each in turn. */
export const TARGETS = ["jobs", "worker", "observatory", "gateway", "nats", "postgres"] as const;
export type Target = (typeof TARGETS)[number];

/** What one kill hit. */
export interface Hit {
  readonly target: Target;
  readonly leasesOpen: number;
  readonly submitsInFlight: number;
  /** How long until the process's successor was up, in milliseconds. */
  readonly backMs: number;
  /** Kills that hit too little and were repeated. */
  readonly repeated: number;
}

/** How many leases are open in the project, by the queues' own depth. */
async function leasesOpen(platform: Platform): Promise<number> {
  const { status, body } = await platform.persist("GET", "/v1/queues");
  if (status !== 200) return 0;
  return body.queues.reduce(
    (sum: number, { depth }: { depth: { RUNNING?: number } }) => sum + (depth.RUNNING ?? 0),
    0,
  );
}

/**
 * Kills one process with -9 while at least `atLeast` leases are open and as many submits in flight, and waits until
 * its successor is in run.json. A kill that would hit less waits for more work; one that did is repeated.
 *
 * @param work - how many jobs are given to workers, and how many are submitted around the kill
 */
export async function killUnderLoad(
  platform: Platform,
  journal: Journal,
  target: Target,
  work: { atLeast: number; running: number; around: number },
): Promise<Hit> {
  for (let repeated = 0; repeated < 10; repeated += 1) {
    await journal.submit(work.running, { task: "orrery.sleep", input: { ms: 4_000 } });
    const open = await askUntil(
      () => leasesOpen(platform),
      (count) => count >= work.atLeast,
      20_000,
    );
    const pid = platform.pidOf(target);
    const submitted = journal.submit(work.around, { task: "orrery.sleep", input: { ms: 50 } });
    await askUntil(
      async () => journal.inFlight >= work.atLeast,
      (reached) => reached,
      5_000,
    );
    const submitsInFlight = journal.inFlight;
    process.kill(pid, "SIGKILL");
    const killed = performance.now();
    await askUntil(
      async () => platform.pidOf(target),
      (now) => now !== pid,
      60_000,
    );
    const backMs = Math.round(performance.now() - killed);
    await submitted;
    if (open >= work.atLeast && submitsInFlight >= work.atLeast) {
      return { target, leasesOpen: open, submitsInFlight, backMs, repeated };
    }
  }
  throw new Error(`ten kills of ${target} in a row hit too little`);
}

/** Asks every millisecond until the answer is good or the time is over, and returns the last answer. */
export async function askUntil<T>(
  ask: () => Promise<T>,
  good: (answer: T) => boolean,
  withinMs: number,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (good(answer) || performance.now() > end) return answer;
    await new Promise((done) => setTimeout(done, 1));
  }
}
