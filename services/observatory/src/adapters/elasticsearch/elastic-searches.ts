import type { Client, estypes } from "@elastic/elasticsearch";
import type {
  ListedDocument,
  ProjectSummary,
  ReadModel,
  Search,
  StoredDocument,
  StoredEvent,
} from "../../application/ports.ts";
import type { Filter } from "../../domain/query/filter.ts";
import type { ElasticCalls } from "./elastic-calls.ts";
import type { ElasticDocument } from "./elastic-documents.ts";
import { afterPosition, compile, sortOf } from "./filter-dsl.ts";
import type { IndexNames } from "./index-templates.ts";

const FAILURE_LIMIT = 10;
// A day without jobs has no index, and a part of an answer is no answer.
const WHOLE = {
  ignore_unavailable: true,
  allow_no_indices: true,
  allow_partial_search_results: false,
} as const;

interface Parts {
  readonly client: Client;
  readonly names: IndexNames;
  readonly call: ElasticCalls;
}

type DocumentSearches = Pick<ReadModel, "search" | "count" | "find" | "summary">;
type EventSearches = Pick<ReadModel, "history" | "countVersions" | "searchEvents">;

/** What is read of jobs, missions and alerts. */
export function documentSearches({ client, names, call }: Parts): DocumentSearches {
  const search = searcher(client, call);
  return {
    async search({ kind, project, filter, order, after, limit }) {
      const further = after === undefined ? [] : [afterPosition(order, after)];
      const found = await search({
        index: names[kind],
        query: { bool: { filter: [...inProject(project, filter), ...further] } },
        sort: sortOf(order),
        size: limit,
        _source: ["id", "version", "body", order.field],
      });
      return documentsOf(found).map((document) => listedDocument(document, order.field));
    },

    async count({ kind, project, filter }, atMost) {
      const query = { bool: { filter: inProject(project, filter) } };
      return countOf(await search({ index: names[kind], query, size: 0, track_total_hits: atMost }), atMost);
    },

    async find(kind, project, id) {
      // A search and no get: what is not searchable yet is not there yet, and a get knows no alias of many
      // days.
      const query = { bool: { filter: [{ term: { project } }, { term: { id } }] } };
      const _source = ["id", "version", "body"];
      const [found] = documentsOf(await search({ index: names[kind], query, size: 1, _source }));
      return found === undefined ? undefined : storedDocument(found);
    },

    async summary(project) {
      const asked = { query: { bool: { filter: [{ term: { project } }] } }, size: 0 };
      const [jobs, missions] = await Promise.all([
        search<Terms>({
          ...asked,
          index: names.job,
          aggregations: { status: BY_STATUS, failures: FAILURES },
        }),
        search<Terms>({ ...asked, index: names.mission, aggregations: { status: BY_STATUS } }),
      ]);
      return summaryOf(jobs.aggregations, missions.aggregations);
    },
  };
}

/** What is read of events. */
export function eventSearches({ client, names, call }: Parts): EventSearches {
  const search = searcher(client, call);
  return {
    async history(project, id, { afterVersion, limit }) {
      const later = { range: { version: { gt: afterVersion } } };
      const found = await search({
        index: names.event,
        query: { bool: { filter: [{ term: { project } }, { term: { id } }, later] } },
        sort: [{ version: "asc" }],
        size: limit,
        _source: EVENT_FIELDS,
      });
      return documentsOf(found).map(storedEvent);
    },

    async countVersions(project, id, version) {
      const upTo = { range: { version: { lte: version } } };
      const query = { bool: { filter: [{ term: { project } }, { term: { id } }, upTo] } };
      return countOf(
        await search({ index: names.event, query, size: 0, track_total_hits: version }),
        version,
      );
    },

    async searchEvents({ project, filter, after, limit }) {
      const found = await search({
        index: names.event,
        query: { bool: { filter: [...inProject(project, filter), { range: { eventId: { gt: after } } }] } },
        sort: [{ eventId: "asc" }],
        size: limit,
        _source: EVENT_FIELDS,
      });
      return documentsOf(found).map(storedEvent);
    },
  };
}

function searcher(client: Client, call: ElasticCalls) {
  return <A = never>(request: estypes.SearchRequest) =>
    call((signal) =>
      client.search<ElasticDocument, Record<string, A>>(
        { track_total_hits: false, ...request, ...WHOLE },
        { signal },
      ),
    );
}

function documentsOf(answer: estypes.SearchResponse<ElasticDocument>): readonly ElasticDocument[] {
  return answer.hits.hits.flatMap((hit) => (hit._source === undefined ? [] : [hit._source]));
}

const EVENT_FIELDS = ["eventId", "id", "version", "envelope"];

type Terms = estypes.AggregationsStringTermsAggregate;

const BY_STATUS = { terms: { field: "status", size: 20 } } as const;
const FAILURES = {
  terms: {
    field: "failure",
    size: FAILURE_LIMIT,
    shard_size: 1_000,
    order: [{ _count: "desc" }, { last: "desc" }, { _key: "asc" }],
  },
  aggregations: { last: { max: { field: "finished" } } },
} as const satisfies estypes.AggregationsAggregationContainer;

function countOf(answer: estypes.SearchResponse<ElasticDocument>, atMost: number): number {
  const { total } = answer.hits;
  return Math.min(atMost, typeof total === "number" ? total : (total?.value ?? 0));
}

function inProject(project: string, filter: Filter): estypes.QueryDslQueryContainer[] {
  return [{ term: { project } }, compile(filter)];
}

function storedDocument({ id, version, body = "" }: ElasticDocument): StoredDocument {
  return { id, version, body };
}

function listedDocument(document: ElasticDocument, field: Search["order"]["field"]): ListedDocument {
  return { ...storedDocument(document), position: { value: document[field], id: document.id } };
}

function storedEvent({ eventId = "", id, version, envelope = "" }: ElasticDocument): StoredEvent {
  return { eventId, aggregateId: id, version, envelope };
}

interface Bucket {
  readonly key: string;
  readonly doc_count: number;
  readonly last?: { readonly value: number | null };
}

function summaryOf(
  jobs: Record<string, Terms> | undefined,
  missions: Record<string, Terms> | undefined,
): ProjectSummary {
  const bucketsOf = (of: Record<string, Terms> | undefined, name: string) => {
    const buckets = of?.[name]?.buckets;
    return Array.isArray(buckets) ? (buckets as unknown as readonly Bucket[]) : [];
  };
  const byStatus = (of: Record<string, Terms> | undefined) =>
    new Map(bucketsOf(of, "status").map(({ key, doc_count }) => [key.toUpperCase(), doc_count]));
  return {
    jobs: byStatus(jobs),
    missions: byStatus(missions),
    failures: bucketsOf(jobs, "failures").map(({ key, doc_count: count, last }) => {
      const [task, errorType] = JSON.parse(key) as [string, string];
      return { task, errorType, count, lastEndMs: last?.value ?? 0 };
    }),
  };
}
