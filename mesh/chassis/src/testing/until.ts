/**
 * Asks again until it is so. What the question throws ends the wait at once: to bear failures, use `eventually`.
 *
 * @param what - what is waited for, as in "the mission to be RUNNING"
 * @throws Error that names `what` when it is not so within `withinMs`
 * @default withinMs 30_000, everyMs 50
 */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  { withinMs = 30_000, everyMs = 50 }: { withinMs?: number; everyMs?: number } = {},
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`waited ${withinMs / 1_000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
