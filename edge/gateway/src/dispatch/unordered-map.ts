/**
 * Applies an action to each item of a source and yields what comes of it as soon as it is there, in any
 * order. At most `limit` items are under way or waiting to be taken: the source is read no faster than the
 * results are.
 *
 * The action must not reject. A failure of the source ends the result with it, once what was under way is
 * done.
 */
export async function* unorderedMap<I, O>(
  source: AsyncIterable<I>,
  limit: number,
  action: (item: I) => Promise<O>,
): AsyncIterable<O> {
  const done: O[] = [];
  let open = 0;
  let ended = false;
  let failure: { cause: unknown } | undefined;
  let wake = () => {};
  let admit = () => {};

  const read = async () => {
    for await (const item of source) {
      open += 1;
      void action(item).then((result) => {
        done.push(result);
        wake();
      });
      if (open >= limit) await new Promise<void>((resolve) => (admit = resolve));
      if (ended) return;
    }
  };
  const reading = read()
    .catch((cause: unknown) => (failure = { cause }))
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
    await reading;
    if (failure !== undefined) throw failure.cause;
  } finally {
    ended = true;
    admit();
  }
}
