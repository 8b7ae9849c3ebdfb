import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** The numbers of one process, for Prometheus. Names are public: see attributes.ts. */
export interface Metrics {
  readonly registry: Registry;
  /** The counter of that name, made at the first call. */
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  /** The gauge of that name, made at the first call. */
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /**
   * Sets the gauge of that name each time the metrics are read, and at no other time: what is asked for often and
   * changes often costs nothing in between.
   *
   * @param read - sets the gauge's values; it must not throw and must not wait. Several may share a name.
   */
  sampled<L extends string = never>(
    name: string,
    help: string,
    labels: readonly L[],
    read: (gauge: Gauge<L>) => void,
  ): void;
  /** The histogram of that name, made at the first call. Buckets are upper limits in the unit of the name. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    buckets?: readonly number[],
  ): Histogram<L>;
  /**
   * A filter for label values that users choose: lets the first `limit` through, the others become `_other`.
   */
  boundedLabel(limit?: number): (value: string) => string;
}

/** Seconds, from half a millisecond to half a minute. */
export const DURATION_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

const LABEL_LIMIT = 200;
const OTHER = "_other";

/**
 * An empty registry of its own, so that two services in one test do not meet.
 *
 * @param service - the value of the label `service` that every series carries
 * @param defaults - whether memory, event loop and garbage collection of the process are in it; true unless
 *   said
 */
export function createMetrics({
  service,
  defaults = true,
}: {
  service: string;
  defaults?: boolean;
}): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  // Ten milliseconds, the default, cost every idle process 0.4 % of a core; a loop that is held up shows at 50 as well.
  if (defaults) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  const registers = [registry];
  const samplers = new Map<string, ((gauge: Gauge) => void)[]>();
  return {
    registry,
    sampled: <L extends string = never>(
      name: string,
      help: string,
      labels: readonly L[],
      read: (gauge: Gauge<L>) => void,
    ) => {
      const readers = samplers.get(name) ?? [];
      readers.push(read as (gauge: Gauge) => void);
      if (readers.length > 1) return;
      samplers.set(name, readers);
      const collect = function collect(this: Gauge): void {
        for (const reader of readers) reader(this);
      };
      registry.registerMetric(new Gauge({ name, help, labelNames: labels, registers: [], collect }));
    },
    counter: <L extends string>(name: string, help: string, labels: readonly L[] = []) =>
      known<Counter<L>>(registry, name) ?? new Counter<L>({ name, help, labelNames: labels, registers }),
    gauge: <L extends string>(name: string, help: string, labels: readonly L[] = []) =>
      known<Gauge<L>>(registry, name) ?? new Gauge<L>({ name, help, labelNames: labels, registers }),
    histogram: <L extends string>(
      name: string,
      help: string,
      labels: readonly L[] = [],
      buckets: readonly number[] = DURATION_BUCKETS,
    ) =>
      known<Histogram<L>>(registry, name) ??
      new Histogram<L>({ name, help, labelNames: labels, buckets: [...buckets], registers }),
    boundedLabel,
  };
}

// A name stands for one kind of metric; whoever asks first makes it, so that modules need not share objects.
function known<T>(registry: Registry, name: string): T | undefined {
  return registry.getSingleMetric(name) as T | undefined;
}

function boundedLabel(limit = LABEL_LIMIT): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= limit) return OTHER;
    seen.add(value);
    return value;
  };
}
