/**
 * Answers the messages of a stream as each is done, in any order, with at most so many under way: the next
 * message is taken only when there is room, so that a sender that is too fast is held back.
 */
export async function* inParallel<I, O>(
  inputs: AsyncIterable<I>,
  window: number,
  answer: (input: I) => Promise<O>,
): AsyncGenerator<O, void> {
  const done: O[] = [];
  const failures: unknown[] = [];
  let underWay = 0;
  let open = true;
  let wakeOutput: (() => void) | undefined;
  let wakeInput: (() => void) | undefined;

  const settle = (store: () => void): void => {
    store();
    underWay -= 1;
    wakeOutput?.();
    wakeInput?.();
  };
  const take = async (): Promise<void> => {
    for await (const input of inputs) {
      underWay += 1;
      answer(input).then(
        (output) => settle(() => done.push(output)),
        (reason: unknown) => settle(() => failures.push(reason)),
      );
      while (underWay >= window && failures.length === 0) {
        await new Promise<void>((resolve) => {
          wakeInput = resolve;
        });
      }
      if (failures.length > 0) return;
    }
  };
  void take()
    .catch((reason: unknown) => failures.push(reason))
    .then(() => {
      open = false;
      wakeOutput?.();
    });

  while (failures.length === 0 && (open || underWay > 0 || done.length > 0)) {
    if (done.length > 0) {
      yield* done.splice(0);
      continue;
    }
    await new Promise<void>((resolve) => {
      wakeOutput = resolve;
    });
  }
  if (failures.length > 0) throw failures[0];
}
