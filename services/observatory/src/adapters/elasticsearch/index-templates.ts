import type { estypes } from "@elastic/elasticsearch";
import type { Kind } from "../../domain/projection.ts";
import { timeOfUuid } from "../../domain/uuid-time.ts";

/** The names of what the read model has in Elasticsearch, all below one prefix: an alias for each kind of index. */
export interface IndexNames extends Readonly<Record<Kind | "event", string>> {
  /** Holds one document: the generation, and which indices there have to be. */
  readonly store: string;
}

export function indexNames(prefix: string): IndexNames {
  return {
    job: `${prefix}-jobs`,
    mission: `${prefix}-missions`,
    alert: `${prefix}-alerts`,
    event: `${prefix}-events`,
    store: `${prefix}-observatory`,
  };
}

/** The aliases of all indices that hold documents and events. */
export function aliasesOf(names: IndexNames): readonly string[] {
  return [names.job, names.mission, names.alert, names.event];
}

/** Counts up with each change of the mappings; a store of another layout is dropped and projected again. */
export const LAYOUT = 2;

/** The alias that an index is searched by. */
export function aliasOf(index: string): string {
  return index.slice(0, index.lastIndexOf("-"));
}

/**
 * The index of a day; `alias` is what all days of a kind are searched by. Ids without a time share one index.
 */
export function indexOfDay(alias: string, uuid: string): string {
  const timeMs = timeOfUuid(uuid);
  const day =
    timeMs === undefined ? "undated" : new Date(timeMs).toISOString().slice(0, 10).replaceAll("-", ".");
  return `${alias}-${day}`;
}

/** The first moment of an index's day, epoch milliseconds; undefined for ids without a time. */
export function dayOfIndex(index: string): number | undefined {
  const day = /(\d{4})\.(\d{2})\.(\d{2})$/.exec(index);
  return day === null ? undefined : Date.parse(`${day[1]}-${day[2]}-${day[3]}T00:00:00Z`);
}

const KEYWORD = { type: "keyword" } as const;
const NUMBER = { type: "long" } as const;
/** Kept and given back, and nothing else: not indexed, not parsed, not limited in length. */
const OPAQUE = { type: "object", enabled: false } as const;

const KEYS = {
  project: KEYWORD,
  id: KEYWORD,
  version: NUMBER,
  task: KEYWORD,
  queue: KEYWORD,
  status: KEYWORD,
  errorType: KEYWORD,
  worker: KEYWORD,
  correlation: KEYWORD,
  mission: KEYWORD,
  step: KEYWORD,
  name: KEYWORD,
  priority: NUMBER,
  attempt: NUMBER,
  maxAttempts: NUMBER,
  created: NUMBER,
  started: NUMBER,
  finished: NUMBER,
  wait: NUMBER,
  duration: NUMBER,
  // Keys that users choose would each become a field of the mapping, so they share one.
  labels: { type: "flattened" },
  words: KEYWORD,
} as const satisfies Record<string, estypes.MappingProperty>;

const SETTINGS = {
  number_of_shards: 1,
  auto_expand_replicas: "0-1",
  refresh_interval: "250ms",
} as const satisfies estypes.IndicesIndexSettings;

/**
 * The templates that indices are made from: strict, so that an unforeseen field is refused and not guessed
 * at.
 */
export function indexTemplates(names: IndexNames): readonly estypes.IndicesPutIndexTemplateRequest[] {
  const template = (alias: string, properties: Record<string, estypes.MappingProperty>) => ({
    name: alias,
    index_patterns: [`${alias}-*`],
    priority: 500,
    template: {
      settings: SETTINGS,
      mappings: { dynamic: "strict" as const, properties },
    },
  });
  const document = { ...KEYS, failure: KEYWORD, body: OPAQUE };
  return [
    template(names.job, document),
    template(names.mission, document),
    template(names.alert, document),
    template(names.event, { ...KEYS, eventId: KEYWORD, event: KEYWORD, envelope: OPAQUE }),
  ];
}

/** The index of the one document about the store itself. */
export function storeIndex(names: IndexNames): estypes.IndicesCreateRequest {
  const properties = { layout: NUMBER, generation: KEYWORD, indices: KEYWORD };
  return {
    index: names.store,
    settings: { number_of_shards: 1, auto_expand_replicas: "0-1" },
    mappings: { dynamic: "strict", properties },
  };
}
