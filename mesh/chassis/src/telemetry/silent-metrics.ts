import { type Counter, type Gauge, type Histogram, Registry } from "prom-client";
import type { Metrics } from "./metrics.ts";

const nothing = (): void => {};
/** Takes every call of an instrument, and does nothing. */
const SILENT = {
  inc: nothing,
  dec: nothing,
  set: nothing,
  observe: nothing,
  remove: nothing,
  reset: nothing,
  zero: nothing,
  setToCurrentTime: nothing,
  startTimer: () => () => 0,
  labels: () => SILENT,
};

/**
 * Metrics that count nothing: what a process does without them is what it costs to have them. Its page of metrics is
 * empty.
 */
export function createSilentMetrics(): Metrics {
  return {
    registry: new Registry(),
    // The three classes have fields that nobody outside of their library reaches for.
    counter: () => SILENT as unknown as Counter,
    gauge: () => SILENT as unknown as Gauge,
    histogram: () => SILENT as unknown as Histogram,
    sampled: nothing,
    boundedLabel: () => (value) => value,
  };
}
