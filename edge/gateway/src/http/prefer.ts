import { LIMITS } from "./limits.ts";

const WAIT = /^wait\s*=\s*"?([0-9]{1,9})"?$/i;

/**
 * The seconds that `Prefer: wait=N` asks to wait (RFC 7240, section 4.3), at most `waitSeconds`; undefined
 * without the preference. A preference that cannot be read is ignored, as section 2 has it.
 */
export function preferredWaitSeconds(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  for (const preference of header.split(/[,;]/)) {
    const seconds = WAIT.exec(preference.trim())?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds), LIMITS.waitSeconds);
  }
  return undefined;
}
