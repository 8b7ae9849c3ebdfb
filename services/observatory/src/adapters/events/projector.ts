import { Fault } from "@orrery/mesh/fault/fault";
import { type Consumer, type InMessage, startConsumer, type Verdict } from "@orrery/mesh/messaging/consumer";
import type { Publisher } from "@orrery/mesh/messaging/publisher";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import { wait } from "@orrery/mesh/time/wait";
import type { NatsConnection } from "nats";
import type { ReadModel } from "../../application/ports.ts";
import type { Projection } from "../../domain/projection.ts";
import { readEvent } from "./event-reader.ts";
import { connected, durableOf, JOB_STREAM } from "./job-stream.ts";

const CHECK_PERIOD_MS = 500;
const BATCH = 500;

export interface ProjectorParts {
  readonly connecting: Promise<NatsConnection>;
  readonly publisher: Publisher;
  readonly readModel: ReadModel;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

/** A projector at work. */
export interface Projector {
  /** The durable of the store's present generation; undefined until the store has been checked once. */
  durable(): string | undefined;
  /** Ends when the signal has ended and the last batch is stored. */
  readonly stopped: Promise<void>;
}

/**
 * Keeps the read model up to date for as long as the signal lets it: projects where this process is the
 * store's writer, and begins from the first event again when the store has been made anew.
 */
export function startProjector(parts: ProjectorParts): Projector {
  const { readModel, logger, signal } = parts;
  let durable: string | undefined;
  const supervise = async () => {
    let consumer: Consumer | undefined;
    let consumed: string | undefined;
    while (!signal.aborted) {
      try {
        const { generation, writer } = await readModel.check();
        durable = durableOf(generation);
        const wanted = writer ? durable : undefined;
        if (wanted !== consumed) {
          await consumer?.stop();
          if (consumed !== undefined && consumed !== durable) await forget(parts, consumed);
          consumer = wanted === undefined ? undefined : consume(parts, wanted);
          consumed = wanted;
          if (wanted !== undefined) logger.info("projecting", { durable: wanted });
        }
      } catch (error) {
        logger.warn("the read model cannot be checked", { error });
      }
      await wait(CHECK_PERIOD_MS, signal);
    }
    await consumer?.stop();
  };
  return { durable: () => durable, stopped: supervise() };
}

/**
 * Deletes the durable of a generation that is no more. One left behind costs the broker a row, so failing is
 * no harm.
 */
async function forget({ connecting, logger }: ProjectorParts, durable: string): Promise<void> {
  try {
    const manager = await (await connected(connecting)).jetstreamManager({ checkAPI: false });
    await manager.consumers.delete(JOB_STREAM, durable);
  } catch (error) {
    logger.info("a consumer of an older generation stays at the broker", { durable, error });
  }
}

function consume(parts: ProjectorParts, durable: string): Consumer {
  const { connecting, publisher, readModel, logger, metrics, signal } = parts;
  return startConsumer({
    nc: connecting,
    stream: JOB_STREAM,
    durable,
    batch: BATCH,
    handle: (messages) => project(readModel, messages),
    deadLetters: publisher,
    logger,
    metrics,
    signal,
  });
}

/**
 * Stores what can be read of a batch, all of it at once.
 *
 * @returns one verdict for each message, in order
 * @throws Fault `DEPENDENCY_UNAVAILABLE` while the store cannot take all of it: the batch is held and tried
 * again
 */
export async function project(
  readModel: Pick<ReadModel, "apply">,
  messages: readonly Pick<InMessage, "text">[],
): Promise<readonly Verdict[]> {
  const readings = messages.map((message) => readEvent(message.text()));
  const batch: Projection[] = readings.flatMap((reading) =>
    "projection" in reading ? [reading.projection] : [],
  );
  const outcomes = batch.length === 0 ? [] : await readModel.apply(batch);
  if (outcomes.includes("retry")) {
    const detail = "The read model is too busy to take everything.";
    throw new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: 1_000 });
  }
  let next = 0;
  return readings.map((reading): Verdict => {
    if ("deadLetter" in reading) return reading;
    const outcome = outcomes[next++];
    return typeof outcome === "object" ? { deadLetter: outcome.rejected } : "done";
  });
}
