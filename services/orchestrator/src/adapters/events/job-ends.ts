import { type Consumer, type InMessage, startConsumer, type Verdict } from "@orrery/mesh/messaging/consumer";
import type { Publisher } from "@orrery/mesh/messaging/publisher";
import { eventStreamName } from "@orrery/mesh/messaging/streams";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { NatsConnection } from "nats";
import type { KnownEnd } from "../../application/take-in-ends.ts";
import { END_FACTS, readEnd } from "./job-end.ts";

export interface JobEndsParts {
  readonly connecting: Promise<NatsConnection>;
  readonly publisher: Publisher;
  /** Takes in ends; what it throws is told again. */
  readonly takeIn: (ends: readonly KnownEnd[]) => Promise<void>;
  /** Has jobs asked about. */
  readonly ask: (jobIds: readonly string[]) => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

const DURABLE = "orchestrator";

/** Hears from the stream of jobs how they ended, as one of any number of replicas. */
export function consumeJobEnds(parts: JobEndsParts): Consumer {
  return startConsumer({
    nc: parts.connecting,
    stream: eventStreamName("jobs"),
    durable: DURABLE,
    filterSubjects: END_FACTS.map((fact) => `orrery.events.v1.jobs.${fact}.*`),
    handle: (messages) => hear(parts, messages),
    deadLetters: parts.publisher,
    logger: parts.logger,
    metrics: parts.metrics,
    signal: parts.signal,
  });
}

/** Takes in what a batch tells. @returns one verdict for each message, in order */
export async function hear(
  { takeIn, ask }: Pick<JobEndsParts, "takeIn" | "ask">,
  messages: readonly Pick<InMessage, "text">[],
): Promise<readonly Verdict[]> {
  const readings = messages.map((message) => readEnd(message.text()));
  await takeIn(readings.flatMap((reading) => (reading.kind === "end" ? [reading.known] : [])));
  const unclear = readings.flatMap((reading) => (reading.kind === "ask" ? [reading.jobId] : []));
  if (unclear.length > 0) await ask(unclear);
  return readings.map(
    (reading): Verdict => (reading.kind === "unreadable" ? { deadLetter: reading.why } : "done"),
  );
}
