import type { Clock } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import type { Workbench } from "./workbench.ts";

const HEARTBEAT_MS = 5_000;
/** After a round that was not answered whole: twelve more tries fit into the trust in a lease. */
const HEARTBEAT_AGAIN_MS = 1_000;
const ANSWER_MS = 3_000;
const SWEEP_MS = 200;
const FAREWELL_MS = 2_000;
const POLL_MS = 20;

/** Beats every 5 seconds until the signal: sooner again where a round was not answered whole. */
export async function keepLeases(workbench: Workbench, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const whole = await workbench.heartbeat(ANSWER_MS);
    await wait(whole ? HEARTBEAT_MS : HEARTBEAT_AGAIN_MS, signal);
  }
}

/** Looks for attempts past their timeout or their trust five times a second, until the signal. */
export async function sweepLeases(workbench: Workbench, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    workbench.sweep();
    await wait(SWEEP_MS, signal);
  }
}

/**
 * Ends a worker's life in order: takes no more leases and says so, lets what runs end for `drainMs`, gives
 * back what still runs, and waits for the engine to take the last results.
 *
 * @param drainMs - milliseconds that running attempts may still take; 2 more seconds go to the last results
 * @returns how many attempts were given back undone
 */
export async function retire(
  workbench: Workbench,
  { clock, drainMs }: { clock: Clock; drainMs: number },
): Promise<number> {
  workbench.stopLeasing();
  void workbench.heartbeat(ANSWER_MS);
  const until = async (done: () => boolean, withinMs: number) => {
    const deadlineMs = clock.monotonicMs() + withinMs;
    while (!done() && clock.monotonicMs() < deadlineMs) await wait(POLL_MS);
  };
  await until(() => workbench.running === 0, drainMs);
  const released = workbench.running;
  const farewell = new AbortController();
  await Promise.race([
    Promise.all([workbench.releaseAll(), until(() => workbench.unreported === 0, FAREWELL_MS)]),
    wait(FAREWELL_MS, farewell.signal),
  ]);
  farewell.abort();
  return released;
}
