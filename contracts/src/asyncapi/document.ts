import type { Contract, Event } from "../image/contract-image.ts";
import { commentOf } from "../image/source-text.ts";
import { API_VERSION } from "../openapi/edge-document.ts";
import { exampleMaker } from "../openapi/example.ts";
import { NAMESPACE } from "../schema/published.ts";
import type { Schema } from "../schema/schema.ts";
import { SchemaCatalogue } from "../schema/schema-catalogue.ts";
import { eventPayload } from "../schema/schema-documents.ts";

/** What one workload says and hears. */
export interface EventTraffic {
  readonly workload: string;
  /** The contexts whose events it publishes. */
  readonly sends: readonly string[];
  /** The contexts whose events it consumes. */
  readonly receives: readonly string[];
}

/** Whether a workload hears an event of a context that it consumes: not every consumer needs all of them. */
export type Hears = (workload: string, event: Event) => boolean;

const LICENCE = { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" };
/** Who is let in, by the name of its scheme. */
const SECURITY: Readonly<Record<"broker" | "edge", Schema>> = {
  broker: { type: "X509", description: "The certificate of a workload." },
  edge: { type: "http", scheme: "bearer", description: "An API key of a project, with the scope read." },
};
const ENVELOPE = "orrery.events.v1.EventEnvelope";
const SHARDS = {
  description: "0 to 15, by the id of the aggregate.",
  enum: [...Array(16).keys()].map(String),
};

/** Makes the AsyncAPI 3 document of one workload: the events that it publishes, and those that it consumes. */
export function workloadAsyncApi(
  contract: Contract,
  { workload, sends, receives }: EventTraffic,
  hears: Hears,
): object {
  const { components, messageOf } = eventMessages(contract);
  const channels: Record<string, Schema> = {};
  const operations: Record<string, Schema> = {};
  const involve = (action: "send" | "receive", event: Event): void => {
    const { name } = event.message;
    channels[name] = {
      address: `orrery.events.v1.${event.context}.${name}.{shard}`,
      description: `In the stream ORRERY_${event.context.toUpperCase()}.`,
      parameters: { shard: SHARDS },
      messages: { [name]: { $ref: `#/components/messages/${messageOf(event)}` } },
    };
    operations[`${action}${name}`] = {
      action,
      channel: { $ref: `#/channels/${name}` },
      summary: commentOf(event.message),
      security: securedBy("broker"),
    };
  };
  const of = (contexts: readonly string[]) =>
    contract.events.filter(({ context }) => contexts.includes(context));
  for (const event of of(sends)) involve("send", event);
  for (const event of of(receives)) if (hears(workload, event)) involve("receive", event);
  if (receives.length > 0) buryingChannel(channels, operations, workload, receives);
  return {
    asyncapi: "3.0.0",
    info: {
      title: `Orrery ${workload} events`,
      version: API_VERSION,
      description:
        "At least once, in order for each aggregate. A message is the same as another of its Nats-Msg-Id; a consumer " +
        "acknowledges after its commit, and what it cannot take goes to the dead letters.",
      license: LICENCE,
    },
    defaultContentType: "application/json",
    servers: {
      broker: { host: "nats:4222", protocol: "nats", description: "NATS JetStream over mutual TLS." },
    },
    channels,
    operations,
    components: { ...components(), securitySchemes: { broker: SECURITY.broker } },
  };
}

/** Makes the AsyncAPI 3 document of the edge: all events, as event streams over HTTP. */
export function edgeAsyncApi(contract: Contract): object {
  const { components, messageOf } = eventMessages(contract);
  const watch = (address: string, description: string, contexts: readonly string[]): Schema => ({
    address,
    description,
    ...(address.includes("{id}") && { parameters: { id: { description: "The id of the aggregate." } } }),
    messages: Object.fromEntries(
      contract.events
        .filter(({ context }) => contexts.includes(context))
        .map((event) => [event.message.name, { $ref: `#/components/messages/${messageOf(event)}` }]),
    ),
  });
  const contexts = [...new Set(contract.events.map(({ context }) => context))];
  const channels = {
    events: watch(
      "/v1/events:watch",
      "The project's events that fit a query, as server-sent events.",
      contexts,
    ),
    job: watch("/v1/jobs/{id}:watch", "The events of one job, after a snapshot of it.", ["jobs"]),
    mission: watch("/v1/missions/{id}:watch", "The events of one mission, after a snapshot of it.", [
      "orchestrator",
    ]),
  };
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Orrery events",
      version: API_VERSION,
      description: "One event for each transition. The same events are read as pages at /v1/events.",
      license: LICENCE,
    },
    defaultContentType: "application/json",
    servers: { edge: { host: "edge.example", protocol: "https", description: "The edge." } },
    channels,
    operations: Object.fromEntries(
      Object.entries(channels).map(([name, { description }]) => [
        `send${name.charAt(0).toUpperCase()}${name.slice(1)}`,
        {
          action: "send",
          channel: { $ref: `#/channels/${name}` },
          summary: description,
          security: securedBy("edge"),
        },
      ]),
    ),
    components: { ...components(), securitySchemes: { edge: SECURITY.edge } },
  };
}

/** The messages that were asked for, as components with an example each. */
function eventMessages({ registry }: Contract) {
  const schemas = new SchemaCatalogue({ prefix: "#/components/schemas/", wrapsReferences: true });
  const desc = registry.getMessage(ENVELOPE);
  if (desc === undefined) throw new Error("the protos have no envelope");
  const envelope = schemas.message(desc, "output");
  const messages = new Map<string, { event: Event; payload: Schema }>();
  const messageOf = (event: Event): string => {
    const { name } = event.message;
    messages.set(name, { event, payload: eventPayload(event.message, schemas) });
    return name;
  };
  const components = () => {
    const make = exampleMaker(schemas.definitions);
    return {
      messages: Object.fromEntries(
        [...messages].map(([name, { event, payload }]) => [
          name,
          message(event, { envelope, payload, make }),
        ]),
      ),
      schemas: schemas.definitions,
    };
  };
  return { messageOf, components };
}

function message(
  { type, version, message: desc }: Event,
  parts: { envelope: Schema; payload: Schema; make: (schema: Schema) => unknown },
): Schema {
  const { envelope, payload, make } = parts;
  const told = { eventType: { const: type }, payload };
  const example = { ...(make(envelope) as Schema), version, eventType: type, payload: make(payload) };
  return {
    name: type,
    title: desc.name,
    summary: commentOf(desc),
    contentType: "application/json",
    headers: HEADERS,
    payload: { allOf: [envelope, { type: "object", properties: told }] },
    examples: [{ name: "typical", payload: example }],
    "x-version": version,
    "x-schema": `${NAMESPACE}/events/${type}/${version}`,
  };
}

/** CloudEvents 1.0 in binary mode, and what JetStream takes duplicates out by. */
const HEADERS: Schema = {
  type: "object",
  properties: {
    "ce-specversion": { type: "string", const: "1.0" },
    "ce-id": { type: "string", description: "The eventId." },
    "ce-source": { type: "string", description: "orrery/<workload>" },
    "ce-type": { type: "string", description: "The eventType." },
    "ce-subject": { type: "string", description: "The aggregateId." },
    "ce-time": { type: "string", format: "date-time", description: "occurredAt." },
    "content-type": { type: "string", const: "application/json" },
    traceparent: { type: "string", description: "W3C Trace Context." },
    "Nats-Msg-Id": { type: "string", description: "<aggregateId>:<aggregateVersion>" },
  },
};

function buryingChannel(
  channels: Record<string, Schema>,
  operations: Record<string, Schema>,
  workload: string,
  receives: readonly string[],
): void {
  channels.deadLetters = {
    address: "orrery.dead_letters.{stream}.{consumer}",
    description:
      "What could not be taken, as it was, with Orrery-Dead-Letter-* headers that say where it is from.",
    parameters: {
      stream: {
        description: "Where it was.",
        enum: receives.map((context) => `ORRERY_${context.toUpperCase()}`),
      },
      consumer: { description: `Which consumer of ${workload} gave up.` },
    },
    messages: {},
  };
  operations.sendDeadLetter = {
    action: "send",
    channel: { $ref: "#/channels/deadLetters" },
    summary: "Puts aside what it could not take.",
    security: securedBy("broker"),
  };
}

function securedBy(scheme: "broker" | "edge"): readonly Schema[] {
  return [{ $ref: `#/components/securitySchemes/${scheme}` }];
}
