import { METRIC } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What is told of one durable consumer. */
export interface ConsumerMetrics {
  /** Shows how many messages of the stream are not dealt with. */
  showLag(messages: number): void;
  /** Shows no lag any more: what nobody looks after would stand still. */
  forgetLag(): void;
  /** Counts a message that was given up. */
  countDeadLetter(): void;
}

/**
 * The metrics of one durable consumer, from the first scrape on. Whoever stands by to consume has them too: the lag is
 * the broker's, so every replica shows the same, and the dead letters of all replicas add up.
 */
export function createConsumerMetrics(metrics: Metrics, durable: string): ConsumerMetrics {
  const labels = { consumer: durable };
  const lag = metrics.gauge(
    METRIC.CONSUMER_LAG,
    "Messages of the stream that the consumer has not dealt with.",
    ["consumer"],
  );
  const deadLetters = metrics.counter(METRIC.DEAD_LETTERS, "Messages that the consumer gave up on.", [
    "consumer",
  ]);
  deadLetters.inc(labels, 0);
  return {
    showLag: (messages) => lag.set(labels, messages),
    forgetLag: () => lag.remove(labels),
    countDeadLetter: () => deadLetters.inc(labels),
  };
}
