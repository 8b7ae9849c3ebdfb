/**
 * Waits for an answer, but no longer than the limit. What becomes of it after that is nobody's, a failure included.
 *
 * @param limitMs - milliseconds, 0 or more
 * @returns undefined where the limit came first
 * @throws what the answer fails with, in time
 */
export async function inTime<T>(
  answer: Promise<T>,
  limitMs: number,
): Promise<{ readonly answer: T } | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, limitMs, undefined);
  try {
    return await Promise.race([answer.then((value) => ({ answer: value })), late]);
  } finally {
    clearTimeout(timer);
  }
}
