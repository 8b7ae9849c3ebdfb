import { type JsonObject, objectAt } from "../../domain/envelope-payload.ts";
import type { Projection } from "../../domain/projection.ts";
import { eventKeysOf } from "../../domain/search-keys.ts";
import type { EventContext } from "./event-context.ts";
import { alertPart, missionPart } from "./event-parts.ts";
import { jobPart } from "./job-part.ts";
import { countAt, DIGEST_LIMIT, NotAnEvent, parsed, refuse, textAt } from "./json-fields.ts";

/**
 * What reading an event came to. A dead letter's text says what is wrong with it, for whoever redrives it.
 */
export type EventReading = { readonly projection: Projection } | { readonly deadLetter: string };

const PREFIX = "orrery.events.v1.";
const CONTEXTS: ReadonlyMap<string, EventContext> = new Map<string, EventContext>([
  ["jobs", jobPart],
  ["orchestrator", missionPart],
  ["alerts", alertPart],
]);
/**
 * The major versions that this code was written against. A newer one may mean something else by the same
 * words.
 */
const MAJOR = "1";

/**
 * Reads an event, as it came from the broker.
 *
 * Only what the search needs is taken apart here; a job goes into the read model as the ProtoJSON that it
 * came in, because decoding it to a message and back costs more than everything else in the projection.
 */
export function readEvent(text: string): EventReading {
  try {
    return { projection: projectionOf(text, parsed(text)) };
  } catch (error) {
    if (error instanceof NotAnEvent) return { deadLetter: error.message };
    throw error;
  }
}

function projectionOf(text: string, envelope: JsonObject): Projection {
  const { context, name } = typeOf(envelope);
  const { kind } = context;
  const payload = objectAt(envelope, "payload") ?? refuse("there is no payload");
  const project = textAt(envelope, "projectId");
  const id = textAt(envelope, "aggregateId");
  const version = countAt(envelope, "aggregateVersion");
  if (version < 1) refuse("the aggregateVersion is below 1");
  const { after, keys, failure, step } = context.part(payload);
  if (after.id !== id) refuse(`the ${kind} in it is not its aggregate`);
  const document = { kind, project, id, version, keys, failure, body: JSON.stringify(after) };
  if (kind === "alert") return { document, event: undefined };
  const about = kind === "mission" ? { mission: id, step } : {};
  return {
    document,
    event: {
      project,
      aggregateId: id,
      version,
      eventId: textAt(envelope, "eventId").toLowerCase(),
      keys: eventKeysOf(keys, name, about),
      envelope: text,
    },
  };
}

function typeOf(envelope: JsonObject): { readonly context: EventContext; readonly name: string } {
  for (const field of ["contractVersion", "version"]) {
    const version = textAt(envelope, field);
    if (version.split(".")[0] !== MAJOR)
      refuse(`${field} ${version.slice(0, DIGEST_LIMIT)} is not supported`);
  }
  const type = textAt(envelope, "eventType");
  const [word = "", name = "", ...more] = type.startsWith(PREFIX) ? type.slice(PREFIX.length).split(".") : [];
  const context = CONTEXTS.get(word);
  if (context?.names.has(name) && more.length === 0) return { context, name };
  return refuse(`the event type ${type.slice(0, DIGEST_LIMIT)} is unknown`);
}
