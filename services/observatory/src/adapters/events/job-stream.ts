import { eventStreamName, streamState } from "@orrery/mesh/messaging/streams";
import type { NatsConnection } from "nats";
import type { StreamProgress } from "../../application/ports.ts";

/** The stream of the events about jobs. */
export const JOB_STREAM = eventStreamName("jobs");

/**
 * The durable consumer of one generation of the read model. A store that was made anew has another
 * generation, so its consumer is another one too and begins at the first event of the stream.
 */
export function durableOf(generation: string): string {
  return `observatory-${generation.replaceAll("-", "")}`;
}

/** Asks the broker how far the consumer of a generation is; `durable` is undefined while there is none. */
export function streamProgress(
  connecting: Promise<NatsConnection>,
  durable: () => string | undefined,
): StreamProgress {
  return {
    async read() {
      const connection = await connected(connecting);
      const stream = await streamState(connection, JOB_STREAM);
      // Without a stream nothing was ever published.
      if (stream === undefined) return { lastSequence: 0, doneSequence: 0, behind: 0 };
      const name = durable();
      if (name === undefined) throw new Error("no consumer has been made yet");
      const manager = await connection.jetstreamManager({ checkAPI: false });
      const consumer = await manager.consumers.info(JOB_STREAM, name);
      return {
        lastSequence: stream.lastSequence,
        doneSequence: consumer.ack_floor.stream_seq,
        behind: consumer.num_pending + consumer.num_ack_pending,
      };
    },
  };
}

const NOT_YET = Symbol("not yet");

/** The connection if there is one already: a gauge does not wait for a broker. */
export async function connected(connecting: Promise<NatsConnection>): Promise<NatsConnection> {
  const connection = await Promise.race([connecting, Promise.resolve(NOT_YET)]);
  if (typeof connection === "symbol" || connection.isClosed()) throw new Error("the broker is not there yet");
  return connection;
}
