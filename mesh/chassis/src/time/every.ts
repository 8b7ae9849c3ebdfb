import type { Logger } from "../telemetry/logger.ts";
import type { Clock } from "./clock.ts";
import { wait } from "./wait.ts";

/**
 * Does something again and again, with a pause after each time, until the signal ends. What fails is logged and tried
 * again at the next turn.
 *
 * @param how - `name`: what it does, for the log; `ms`: the pause in milliseconds; `rest`: the least pause in multiples
 * of the time that the work took, for work that must not become all there is. @default rest 0
 * @returns resolves when the last turn has ended
 */
export async function every(
  how: { readonly name: string; readonly ms: number; readonly rest?: number },
  parts: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
  work: () => Promise<unknown>,
): Promise<void> {
  const { clock, signal } = parts;
  const { name, ms, rest = 0 } = how;
  while (!signal.aborted) {
    const beganMs = clock.monotonicMs();
    await oneTurn(name, parts, work);
    await wait(Math.max(ms, rest * (clock.monotonicMs() - beganMs)), signal);
  }
}

/** Does something once. What fails is logged, unless the signal has ended, and left to the next turn. */
export async function oneTurn(
  name: string,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (failure) {
    if (!signal.aborted) logger.warn(`${name} did not work`, { reason: String(failure) });
  }
}
