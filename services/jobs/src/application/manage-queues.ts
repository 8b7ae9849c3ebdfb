import { Fault } from "@orrery/mesh/fault/fault";
import { type KeyedRequest, storedAnswer } from "@orrery/mesh/idempotency/keys";
import type { IdempotencyKeys, InTransaction, QueueChange, Queues, QueueView } from "./ports.ts";

interface QueueDeps {
  readonly queues: Queues;
  readonly keys: IdempotencyKeys;
  readonly inTransaction: InTransaction;
  /** Writes a queue as it is answered, to be stored with its key. */
  readonly encodeQueue: (queue: QueueView) => Uint8Array;
  /** Told after a queue was changed, so that grants look at its limits from now on. */
  readonly changed: () => void;
}

/**
 * Changes a queue, and makes it if it is new.
 *
 * @returns the queue after it, or the stored answer to the same request before
 * @throws Fault `IDEMPOTENCY_IN_FLIGHT` (retry after 1 s) · `IDEMPOTENCY_KEY_REUSED`
 */
export const changeQueue =
  ({ queues, keys, inTransaction, encodeQueue, changed }: QueueDeps) =>
  async (
    request: { name: string; change: QueueChange; keyed: KeyedRequest | undefined },
    project: string,
  ): Promise<{ queue: QueueView } | { replay: Uint8Array }> => {
    const { name, change, keyed } = request;
    const answer = await inTransaction(
      async (tx) => {
        const [state] = keyed === undefined ? [] : await keys.claimAll(tx, [keyed]);
        const replay = keyed && state && storedAnswer(keyed, state);
        if (replay !== undefined) return { replay };
        await queues.change(tx, project, name, change);
        const queue = await queues.read(project, name, tx);
        if (queue === undefined) throw new Error(`queue ${name} was written and is not there`);
        if (keyed !== undefined) keys.storeAll(tx, [{ ...keyed, response: encodeQueue(queue) }]);
        return { queue };
      },
      { projects: [project] },
    );
    changed();
    return answer;
  };

/** Reads one queue. @throws Fault `NOT_FOUND` where nothing has named it yet */
export const readQueue =
  (queues: Queues) =>
  async (project: string, name: string): Promise<QueueView> => {
    const queue = await queues.read(project, name);
    if (queue === undefined)
      throw new Fault("NOT_FOUND", { detail: `this project has no queue ${JSON.stringify(name)}` });
    return queue;
  };
