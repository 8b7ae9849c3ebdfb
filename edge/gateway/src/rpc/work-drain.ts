import { create } from "@bufbuild/protobuf";
import {
  type WorkResponse,
  WorkResponseSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";

/**
 * Passes what the engine says to a worker on, and adds the word to go elsewhere once this gateway is about to
 * stop. The stream goes on after it, so that what is running can still be reported.
 */
export async function* withDrain(
  answers: AsyncIterable<WorkResponse>,
  draining: AbortSignal,
): AsyncIterable<WorkResponse> {
  const iterator = answers[Symbol.asyncIterator]();
  let told = false;
  let tell = () => {};
  // One listener for the whole stream: a race with the signal's own promise would keep a reaction for every
  // message.
  const listener = () => tell();
  draining.addEventListener("abort", listener);
  try {
    let next = iterator.next();
    for (;;) {
      const arrived = await new Promise<IteratorResult<WorkResponse> | undefined>((resolve, reject) => {
        next.then(resolve, reject);
        tell = () => resolve(undefined);
        if (draining.aborted && !told) tell();
      });
      if (arrived === undefined) {
        told = true;
        yield create(WorkResponseSchema, { message: { case: "drain", value: {} } });
        continue;
      }
      if (arrived.done === true) return;
      yield arrived.value;
      next = iterator.next();
    }
  } finally {
    draining.removeEventListener("abort", listener);
    await iterator.return?.();
  }
}
