/**
 * Asks again until the check stops throwing, and returns what it returned. For peers that take their own
 * time; a test that owns its clock uses `ManualClock` instead.
 *
 * @throws the last failure of the check, when it still fails after `withinMs`
 * @default withinMs 10_000, everyMs 25
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 25 }: { withinMs?: number; everyMs?: number } = {},
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (failure) {
      if (performance.now() >= endMs) throw failure;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
