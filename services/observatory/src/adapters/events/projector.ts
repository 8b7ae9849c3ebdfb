import { Fault } from "@orrery/mesh/fault/fault";
import { type Consumer, type InMessage, startConsumer, type Verdict } from "@orrery/mesh/messaging/consumer";
import type { Publisher } from "@orrery/mesh/messaging/publisher";
import { ATTR } from "@orrery/mesh/telemetry/attributes";
import { isTraced, openItemSpan } from "@orrery/mesh/telemetry/item-span";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import { wait } from "@orrery/mesh/time/wait";
import type { NatsConnection } from "nats";
import type { ApplyOutcome, ReadModel } from "../../application/ports.ts";
import type { Projection } from "../../domain/projection.ts";
import { type EventReading, readEvent } from "./event-reader.ts";
import { connected, durableOf, PROJECTED_STREAMS } from "./event-streams.ts";

type ReadMessage = Pick<InMessage, "text" | "header">;

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
  /** The store's present generation; undefined until the store has been checked once. */
  generation(): string | undefined;
  /** Ends when the signal has ended and the last batch is stored. */
  readonly stopped: Promise<void>;
}

/**
 * Keeps the read model up to date for as long as the signal lets it: projects where this process is the
 * store's writer, and begins from the first event again when the store has been made anew.
 */
export function startProjector(parts: ProjectorParts): Projector {
  const { readModel, logger, signal } = parts;
  let generation: string | undefined;
  const supervise = async () => {
    let consumers: readonly Consumer[] = [];
    let consumed: string | undefined;
    while (!signal.aborted) {
      try {
        const state = await readModel.check();
        generation = state.generation;
        const wanted = state.writer ? generation : undefined;
        if (wanted !== consumed) {
          await stopAll(consumers);
          if (consumed !== undefined && consumed !== generation) await forget(parts, consumed);
          consumers = wanted === undefined ? [] : consume(parts, wanted);
          consumed = wanted;
          if (wanted !== undefined) logger.info("projecting", { generation: wanted });
        }
      } catch (error) {
        logger.warn("the read model cannot be checked", { error });
      }
      await wait(CHECK_PERIOD_MS, signal);
    }
    await stopAll(consumers);
  };
  return { generation: () => generation, stopped: supervise() };
}

async function stopAll(consumers: readonly Consumer[]): Promise<void> {
  await Promise.all(consumers.map((consumer) => consumer.stop()));
}

/**
 * Deletes the durables of a generation that is no more. One left behind costs the broker a row, so failing is
 * no harm.
 */
async function forget({ connecting, logger }: ProjectorParts, generation: string): Promise<void> {
  try {
    const manager = await (await connected(connecting)).jetstreamManager({ checkAPI: false });
    for (const stream of PROJECTED_STREAMS) {
      await manager.consumers.delete(stream, durableOf(stream, generation));
    }
  } catch (error) {
    logger.info("a consumer of an older generation stays at the broker", { generation, error });
  }
}

/** One consumer for each stream, so that a flood in one never delays the others. */
function consume(parts: ProjectorParts, generation: string): readonly Consumer[] {
  const { connecting, publisher, readModel, logger, metrics, signal } = parts;
  return PROJECTED_STREAMS.map((stream) =>
    startConsumer({
      nc: connecting,
      stream,
      durable: durableOf(stream, generation),
      batch: BATCH,
      handle: (messages) => project(readModel, messages),
      deadLetters: publisher,
      logger,
      metrics,
      signal,
    }),
  );
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
  messages: readonly ReadMessage[],
): Promise<readonly Verdict[]> {
  const texts = messages.map((message) => message.text());
  const readings = texts.map(readEvent);
  const spans = readings.map((reading, index) => openSpan(reading, texts[index] ?? "", messages[index]));
  const batch: Projection[] = readings.flatMap((reading) =>
    "projection" in reading ? [reading.projection] : [],
  );
  try {
    const outcomes = batch.length === 0 ? [] : await readModel.apply(batch);
    if (outcomes.includes("retry")) {
      const detail = "The read model is too busy to take everything.";
      throw new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: 1_000 });
    }
    return verdictsOf(readings, outcomes);
  } finally {
    for (const span of spans) span?.end();
  }
}

function verdictsOf(
  readings: readonly EventReading[],
  outcomes: readonly ApplyOutcome[],
): readonly Verdict[] {
  let next = 0;
  return readings.map((reading): Verdict => {
    if ("deadLetter" in reading) return reading;
    const outcome = outcomes[next++];
    return typeof outcome === "object" ? { deadLetter: outcome.rejected } : "done";
  });
}

const TRACEPARENT = '"traceparent":"';
const TRACEPARENT_LENGTH = 55;

/**
 * The projection of one event in its trace. Whether that is kept is read from the envelope, because to take the
 * headers of each message apart would cost more than the rest; what it goes on from is in the headers.
 */
function openSpan(
  reading: EventReading,
  text: string,
  message: ReadMessage | undefined,
): ReturnType<typeof openItemSpan> {
  const at = text.indexOf(TRACEPARENT) + TRACEPARENT.length;
  if (!isTraced(text.slice(at, at + TRACEPARENT_LENGTH)) || !("projection" in reading)) return undefined;
  const { project, id } = reading.projection.document;
  const attributes = { [ATTR.PROJECT]: project, [ATTR.AGGREGATE]: id };
  return openItemSpan(message?.header("traceparent") ?? "", "project event", {
    kind: "consumer",
    attributes,
  });
}
