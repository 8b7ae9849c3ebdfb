import type { Chance } from "../time/clock.ts";

/**
 * A chance that draws the given numbers in turn, and begins again after the last.
 *
 * @param draws - at least one number in [0, 1)
 */
export function fixedChance(...draws: readonly [number, ...number[]]): Chance {
  let drawn = 0;
  return { next: () => draws[drawn++ % draws.length] ?? draws[0] };
}
