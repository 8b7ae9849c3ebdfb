import type { Logger } from "../telemetry/logger.ts";
import { wait } from "./wait.ts";

/**
 * Does something again and again, with a pause after each time, until the signal ends. What fails is logged and tried
 * again at the next turn.
 *
 * @param how - `name`: what it does, for the log; `ms`: the pause in milliseconds
 * @returns resolves when the last turn has ended
 */
export async function every(
  how: { readonly name: string; readonly ms: number },
  parts: { readonly logger: Logger; readonly signal: AbortSignal },
  work: () => Promise<void>,
): Promise<void> {
  const { logger, signal } = parts;
  while (!signal.aborted) {
    try {
      await work();
    } catch (failure) {
      if (!signal.aborted) logger.warn(`${how.name} did not work`, { reason: String(failure) });
    }
    await wait(how.ms, signal);
  }
}
