import type { Client, estypes } from "@elastic/elasticsearch";
import type { ApplyOutcome } from "../../application/ports.ts";
import { eventsOf, newestOf, type Projection } from "../../domain/projection.ts";
import {
  aggregateDocument,
  documentKey,
  type ElasticDocument,
  eventDocument,
  eventKey,
} from "./elastic-documents.ts";
import { type IndexNames, indexOfDay } from "./index-templates.ts";

/** One line of a bulk request, and which document or event it is about. */
interface BulkItem {
  readonly about: string;
  readonly action: estypes.BulkOperationContainer;
  readonly document: ElasticDocument;
}

const CONFLICT = 409;
const NOT_FOUND = 404;
const TOO_MANY = 429;

/**
 * The bulk request of a batch: of each aggregate the newest document, guarded by its version (D1), and each
 * event.
 */
export function bulkItems(batch: readonly Projection[], names: IndexNames): readonly BulkItem[] {
  const documents = newestOf(batch).map((document): BulkItem => {
    const _id = documentKey(document);
    const _index = indexOfDay(names[document.kind], document.id);
    const action = { index: { _index, _id, version: document.version, version_type: "external" } } as const;
    return { about: `document ${_id}`, action, document: aggregateDocument(document) };
  });
  const events = eventsOf(batch).map((event): BulkItem => {
    const _id = eventKey(event);
    // An event never changes: where it is already, `create` leaves it alone.
    const action = { create: { _index: indexOfDay(names.event, event.eventId), _id } } as const;
    return { about: `event ${_id}`, action, document: eventDocument(event) };
  });
  return [...documents, ...events];
}

export function indicesOf(items: readonly BulkItem[]): ReadonlySet<string> {
  return new Set(items.map(({ action }) => (action.index ?? action.create)?._index ?? ""));
}

/**
 * Sends a batch. An answer of 200 may hold refusals of single items: each projection gets the worse of its
 * two.
 */
export async function sendBulk(
  client: Client,
  batch: readonly Projection[],
  items: readonly BulkItem[],
): Promise<readonly ApplyOutcome[]> {
  const operations = items.flatMap(({ action, document }) => [action, document]);
  const answer = await client.bulk({ operations });
  const outcomes = new Map<string, ApplyOutcome>();
  answer.items.forEach((item, index) => {
    const result = item.index ?? item.create;
    const about = items[index]?.about;
    if (about !== undefined) outcomes.set(about, outcomeOf(result));
  });
  return batch.map(({ document, event }) => {
    const stored = event === undefined ? "done" : (outcomes.get(`event ${eventKey(event)}`) ?? "retry");
    return stored === "done" ? (outcomes.get(`document ${documentKey(document)}`) ?? "retry") : stored;
  });
}

/** @see https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk (status of an item) */
function outcomeOf(result: estypes.BulkResponseItem | undefined): ApplyOutcome {
  const status = result?.status ?? 0;
  // A newer version, or the same event, is there already.
  if ((status >= 200 && status < 300) || status === CONFLICT) return "done";
  // The index is gone, or there is more than can be carried: both pass.
  if (status === NOT_FOUND || status === TOO_MANY || status >= 500 || status === 0) return "retry";
  return { rejected: `the index refuses it: ${result?.error?.type ?? `status ${status}`}` };
}
