/**
 * Applies an action to each item of a source and yields what comes of it as soon as it is there, in any
 * order.
 *
 * A failure, of the source or of an action, ends the result with it, once what was under way is done.
 *
 * @param limit - items that are under way or whose results wait to be taken, 1 or more: the source is read no
 *   faster than the results are
 */
export async function* unorderedMap<I, O>(
  source: AsyncIterable<I>,
  limit: number,
  action: (item: I) => Promise<O>,
): AsyncGenerator<O, void> {
  const done: O[] = [];
  let open = 0;
  let ended = false;
  let failure: { cause: unknown } | undefined;
  let wake = () => {};
  let admit = () => {};

  const fail = (cause: unknown) => {
    failure ??= { cause };
    ended = true;
    admit();
  };
  const begin = async (item: I) => {
    open += 1;
    try {
      done.push(await action(item));
    } catch (cause) {
      open -= 1;
      fail(cause);
    }
    wake();
  };
  const read = async () => {
    for await (const item of source) {
      void begin(item);
      if (open >= limit) await new Promise<void>((resolve) => (admit = resolve));
      if (ended) return;
    }
  };
  void read()
    .catch(fail)
    .finally(() => {
      ended = true;
      wake();
    });

  try {
    while (!ended || open > 0) {
      const result = done.shift();
      if (result === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      yield result;
      open -= 1;
      admit();
    }
    if (failure !== undefined) throw failure.cause;
  } finally {
    ended = true;
    admit();
  }
}
