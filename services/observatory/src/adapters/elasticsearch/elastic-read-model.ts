import { Client } from "@elastic/elasticsearch";
import { createBreaker } from "@orrery/mesh/resilience/breaker";
import { createMetrics, type Metrics } from "@orrery/mesh/telemetry/metrics";
import { type Chance, type Clock, systemChance, systemClock } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import type { ApplyOutcome, ReadModel } from "../../application/ports.ts";
import type { Projection } from "../../domain/projection.ts";
import { bulkItems, indicesOf, sendBulk } from "./elastic-bulk.ts";
import { elasticCalls } from "./elastic-calls.ts";
import { documentSearches, eventSearches } from "./elastic-searches.ts";
import { ElasticStore } from "./elastic-store.ts";
import { aliasesOf, indexNames } from "./index-templates.ts";

const REQUEST_LIMIT_MS = 10_000;
/** How often the items of a batch are sent that the engine is too busy for, within one `apply`. */
const BULK_ATTEMPTS = 3;
const BULK_PAUSE_MS = 50;

export interface ElasticOptions {
  readonly urls: readonly string[];
  /** Begins the names of all indices, aliases and templates. */
  readonly prefix: string;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

/** What tests may do to it besides. */
interface ElasticReadModel extends ReadModel {
  /** Forgets everything and begins a new generation. */
  reset(): Promise<void>;
}

/**
 * The read model in Elasticsearch 8.19 or newer, for production.
 *
 * Only what every distribution has is used: no scripts, no lifecycle management, no ping and no info.
 */
export function openElasticReadModel(options: ElasticOptions): ElasticReadModel {
  const { urls, prefix, metrics, clock = systemClock, chance = systemChance } = options;
  const client = new Client({
    nodes: [...urls],
    // One layer retries: callers for reads, the consumer for writes.
    maxRetries: 0,
    requestTimeout: REQUEST_LIMIT_MS,
  });
  const names = indexNames(prefix);
  const breaker = createBreaker({
    dependency: "elasticsearch",
    metrics: metrics ?? createMetrics({ service: "observatory", defaults: false }),
    timeoutMs: REQUEST_LIMIT_MS,
    clock,
    chance,
  });
  const call = elasticCalls(breaker);
  const store = new ElasticStore(client, names, clock);
  return {
    name: "elasticsearch",
    check: async () => ({ generation: await call(() => store.generation()), writer: true }),

    async apply(batch) {
      const outcomes = new Map<Projection, ApplyOutcome>();
      let left = batch;
      for (let attempt = 1; left.length > 0 && attempt <= BULK_ATTEMPTS; attempt++) {
        if (attempt > 1) await wait(BULK_PAUSE_MS * 2 ** attempt * (0.5 + chance.next() / 2));
        const items = bulkItems(left, names);
        const sent = await call(async () => {
          await store.ensure(indicesOf(items));
          return sendBulk(client, left, items);
        });
        for (const [index, projection] of left.entries()) outcomes.set(projection, sent[index] ?? "retry");
        left = left.filter((projection) => outcomes.get(projection) === "retry");
        if (left.length > 0) store.forget();
      }
      return batch.map((projection) => outcomes.get(projection) ?? "retry");
    },

    async settle() {
      const index = [...aliasesOf(names)];
      await call(() => client.indices.refresh({ index, ignore_unavailable: true, allow_no_indices: true }));
    },

    ...documentSearches({ client, names, call }),
    ...eventSearches({ client, names, call }),

    async size() {
      const { _all: all } = await call(() =>
        // By pattern: an alias without an index yet would be refused.
        client.indices.stats({
          index: aliasesOf(names).map((alias) => `${alias}-*`),
          metric: ["docs", "store"],
        }),
      );
      return { documents: all.primaries?.docs?.count ?? 0, bytes: all.primaries?.store?.size_in_bytes ?? 0 };
    },

    reset: () => call(() => store.drop()),

    async close() {
      breaker.close();
      await client.close();
    },
  };
}
