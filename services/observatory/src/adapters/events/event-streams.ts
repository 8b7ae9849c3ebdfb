import { type ConsumerMetrics, createConsumerMetrics } from "@orrery/mesh/messaging/consumer-metrics";
import { eventStreamName, streamState, unlessAbsent } from "@orrery/mesh/messaging/streams";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { NatsConnection } from "nats";
import type { StreamProgress, StreamState } from "../../application/ports.ts";

export const JOB_STREAM = eventStreamName("jobs");
const MISSION_STREAM = eventStreamName("orchestrator");
const ALERT_STREAM = eventStreamName("alerts");

/** Everything that is projected. */
export const PROJECTED_STREAMS: readonly string[] = [JOB_STREAM, MISSION_STREAM, ALERT_STREAM];

/** Whose events can be listed and watched. */
export const WATCHED_STREAMS: readonly string[] = [JOB_STREAM, MISSION_STREAM];

/**
 * The durable consumer of one generation of the read model on one stream. A store that was made anew has
 * another generation, so its consumer is another one too and begins at the first event of the stream.
 */
export function durableOf(stream: string, generation: string): string {
  const context = stream.slice(stream.indexOf("_") + 1).toLowerCase();
  return `observatory-${context}-${generation.replaceAll("-", "")}`;
}

/**
 * Asks the broker how far a generation is projected; it is undefined while it is not known. What it is told is shown as
 * the consumers' metrics, by the writer and by whoever stands by, until another generation takes its place.
 */
export function streamProgress(
  connecting: Promise<NatsConnection>,
  generation: () => string | undefined,
  metrics: Metrics,
): StreamProgress {
  const shown = new Map<string, ConsumerMetrics>();
  let shownGeneration: string | undefined;
  const showLag = (durable: string, messages: number): void => {
    const consumer = shown.get(durable) ?? createConsumerMetrics(metrics, durable);
    shown.set(durable, consumer);
    consumer.showLag(messages);
  };
  const forgetAllBut = (current: string | undefined): void => {
    if (current === shownGeneration) return;
    for (const consumer of shown.values()) consumer.forgetLag();
    shown.clear();
    shownGeneration = current;
  };
  return {
    generation,
    async read() {
      const connection = await connected(connecting);
      const current = generation();
      forgetAllBut(current);
      const states = await Promise.all(
        PROJECTED_STREAMS.map(async (stream) => {
          const state = await progressOf(connection, stream, current);
          if (state !== undefined && current !== undefined && current === generation())
            showLag(durableOf(stream, current), state.behind);
          return state;
        }),
      );
      return states.filter((state) => state !== undefined);
    },
  };
}

/**
 * Undefined without a stream: nothing was ever published. Asked often, so that the stream itself is asked only where
 * its consumer cannot tell: one that has dealt with everything has seen its newest event.
 */
async function progressOf(
  connection: NatsConnection,
  stream: string,
  generation: string | undefined,
): Promise<StreamState | undefined> {
  const state = () => streamState(connection, stream);
  if (generation === undefined) {
    if ((await state()) === undefined) return undefined;
    throw new Error("no consumer has been made yet");
  }
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const consumer = await unlessAbsent(manager.consumers.info(stream, durableOf(stream, generation)));
  if (consumer === undefined) return undefined;
  const behind = consumer.num_pending + consumer.num_ack_pending;
  const newest = behind === 0 ? consumer.delivered.stream_seq : (await state())?.lastSequence;
  if (newest === undefined) return undefined;
  return { stream, lastSequence: newest, doneSequence: consumer.ack_floor.stream_seq, behind };
}

const NOT_YET = Symbol("not yet");

/** The connection if there is one already: a gauge does not wait for a broker. */
export async function connected(connecting: Promise<NatsConnection>): Promise<NatsConnection> {
  const connection = await Promise.race([connecting, Promise.resolve(NOT_YET)]);
  if (typeof connection === "symbol" || connection.isClosed()) throw new Error("the broker is not there yet");
  return connection;
}
