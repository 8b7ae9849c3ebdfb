import type { Client, estypes } from "@elastic/elasticsearch";
import type {
  JobSearch,
  ListedJob,
  ProjectSummary,
  ReadModel,
  StoredEvent,
  StoredJob,
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

type JobSearches = Pick<ReadModel, "searchJobs" | "countJobs" | "job" | "summary">;
type EventSearches = Pick<ReadModel, "history" | "searchEvents">;

/** What is read of jobs. */
export function jobSearches({ client, names, call }: Parts): JobSearches {
  const search = searcher(client, call);
  return {
    async searchJobs({ project, filter, order, after, limit }) {
      const further = after === undefined ? [] : [afterPosition(order, after)];
      const found = await search({
        index: names.jobs,
        query: { bool: { filter: [...inProject(project, filter), ...further] } },
        sort: sortOf(order),
        size: limit,
        _source: ["id", "version", "body", order.field],
      });
      return documentsOf(found).map((job) => listedJob(job, order.field));
    },

    async countJobs({ project, filter }, atMost) {
      const query = { bool: { filter: inProject(project, filter) } };
      const answer = await search({ index: names.jobs, query, size: 0, track_total_hits: atMost });
      const { total } = answer.hits;
      return Math.min(atMost, typeof total === "number" ? total : (total?.value ?? 0));
    },

    async job(project, id) {
      // A search and no get: what is not searchable yet is not there yet, and a get knows no alias of many
      // days.
      const query = { bool: { filter: [{ term: { project } }, { term: { id } }] } };
      const _source = ["id", "version", "body"];
      const [found] = documentsOf(await search({ index: names.jobs, query, size: 1, _source }));
      return found === undefined ? undefined : storedJob(found);
    },

    async summary(project) {
      const answer = await search<estypes.AggregationsStringTermsAggregate>({
        index: names.jobs,
        query: { bool: { filter: [{ term: { project } }] } },
        size: 0,
        aggregations: SUMMARY,
      });
      return summaryOf(answer.aggregations);
    },
  };
}

/** What is read of events. */
export function eventSearches({ client, names, call }: Parts): EventSearches {
  const search = searcher(client, call);
  return {
    async history(project, jobId, { afterVersion, limit }) {
      const later = { range: { version: { gt: afterVersion } } };
      const found = await search({
        index: names.events,
        query: { bool: { filter: [{ term: { project } }, { term: { id: jobId } }, later] } },
        sort: [{ version: "asc" }],
        size: limit,
        _source: EVENT_FIELDS,
      });
      return documentsOf(found).map(storedEvent);
    },

    async searchEvents({ project, filter, after, limit }) {
      const found = await search({
        index: names.events,
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

const SUMMARY = {
  status: { terms: { field: "status", size: 20 } },
  failures: {
    terms: {
      field: "failure",
      size: FAILURE_LIMIT,
      shard_size: 1_000,
      order: [{ _count: "desc" }, { last: "desc" }, { _key: "asc" }],
    },
    aggregations: { last: { max: { field: "finished" } } },
  },
} as const satisfies Record<string, estypes.AggregationsAggregationContainer>;

function inProject(project: string, filter: Filter): estypes.QueryDslQueryContainer[] {
  return [{ term: { project } }, compile(filter)];
}

function storedJob({ id, version, body = "" }: ElasticDocument): StoredJob {
  return { id, version, body };
}

function listedJob(job: ElasticDocument, field: JobSearch["order"]["field"]): ListedJob {
  return { ...storedJob(job), position: { value: job[field], id: job.id } };
}

function storedEvent({ eventId = "", id, version, envelope = "" }: ElasticDocument): StoredEvent {
  return { eventId, jobId: id, version, envelope };
}

interface Bucket {
  readonly key: string;
  readonly doc_count: number;
  readonly last?: { readonly value: number | null };
}

function summaryOf(
  aggregations: Record<string, estypes.AggregationsStringTermsAggregate> | undefined,
): ProjectSummary {
  const bucketsOf = (name: string) => {
    const buckets = aggregations?.[name]?.buckets;
    return Array.isArray(buckets) ? (buckets as unknown as readonly Bucket[]) : [];
  };
  return {
    jobs: new Map(bucketsOf("status").map(({ key, doc_count }) => [key.toUpperCase(), doc_count])),
    failures: bucketsOf("failures").map(({ key, doc_count: count, last }) => {
      const [task, errorType] = JSON.parse(key) as [string, string];
      return { task, errorType, count, lastEndMs: last?.value ?? 0 };
    }),
  };
}
