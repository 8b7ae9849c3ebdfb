import type { Schema } from "../schema/schema.ts";

const text = (schema: Schema, description: string): Schema => ({ description, schema });

/** Headers of answers, by the name of their component. */
export const HEADERS: Record<string, Schema> = {
  CorrelationId: text(
    { type: "string", maxLength: 128 },
    "Joins everything that the request led to: the X-Correlation-Id of the request, or one that was made for it.",
  ),
  RequestId: text({ type: "string", format: "uuid" }, "This request alone, in our logs."),
  Traceparent: text(
    { type: "string", pattern: "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" },
    "The span of the edge (W3C Trace Context).",
  ),
  RateLimitPolicy: text(
    { type: "string" },
    'The quota of the key: "key";q=requests;w=seconds (draft-ietf-httpapi-ratelimit-headers).',
  ),
  RateLimit: text(
    { type: "string" },
    'What is left of the quota: "key";r=requests;t=seconds to its renewal.',
  ),
  Location: text({ type: "string", format: "uri-reference" }, "Where what was made can be read."),
  OrreryConsistencyToken: text(
    { type: "string", maxLength: 256 },
    "The state that this write left. A read of the read model that is given it waits until it holds at least that.",
  ),
  OrreryAsOf: text({ type: "string", format: "date-time" }, "The answer holds everything up to here."),
  OrreryLagMs: text(
    { type: "string", pattern: "^[0-9]+$" },
    "How far the read model is behind, in milliseconds.",
  ),
  PreferenceApplied: text({ type: "string" }, "wait=N, where Prefer: wait was asked for (RFC 7240)."),
  IdempotencyReplayed: text(
    { type: "string", const: "true" },
    "The answer is the stored one of an earlier request with the same Idempotency-Key.",
  ),
  RetryAfter: text({ type: "string", pattern: "^[0-9]+$" }, "Seconds after which a repeat makes sense."),
  WwwAuthenticate: text({ type: "string" }, "How to say who one is."),
};

/** The wire names of `HEADERS`. */
export const HEADER_NAMES: Readonly<Record<string, string>> = {
  CorrelationId: "X-Correlation-Id",
  RequestId: "X-Request-Id",
  Traceparent: "traceparent",
  RateLimitPolicy: "RateLimit-Policy",
  RateLimit: "RateLimit",
  Location: "Location",
  OrreryConsistencyToken: "Orrery-Consistency-Token",
  OrreryAsOf: "Orrery-As-Of",
  OrreryLagMs: "Orrery-Lag-Ms",
  PreferenceApplied: "Preference-Applied",
  IdempotencyReplayed: "Idempotency-Replayed",
  RetryAfter: "Retry-After",
  WwwAuthenticate: "WWW-Authenticate",
};

/** The headers that every answer has. */
export const EVERY_ANSWER: readonly string[] = ["CorrelationId", "RequestId", "Traceparent"];
/** The headers that every answer of the API has as well. */
export const EVERY_API_ANSWER: readonly string[] = [...EVERY_ANSWER, "RateLimitPolicy", "RateLimit"];

/** An object of header components, by their names on the wire. */
export function headerRefs(components: readonly string[]): Schema {
  return Object.fromEntries(
    components.map((name) => [HEADER_NAMES[name] ?? name, { $ref: `#/components/headers/${name}` }]),
  );
}

const header = (name: string, schema: Schema, description: string): Schema => ({
  name,
  in: "header",
  required: false,
  description,
  schema,
});

/** Parameters that more than one operation takes, by the name of their component. */
export const PARAMETERS: Record<string, Schema> = {
  CorrelationId: header(
    "X-Correlation-Id",
    { type: "string" },
    "Joins everything that the request leads to: 1 to 128 characters of visible ASCII. Another counts as absent.",
  ),
  Traceparent: header(
    "traceparent",
    { type: "string" },
    "The caller's span (W3C Trace Context). A malformed one counts as absent.",
  ),
  OrreryProject: header(
    "Orrery-Project",
    { type: "string", maxLength: 128 },
    "The project, for a caller that is in several. Another than the key's own is refused with 403.",
  ),
  IdempotencyKey: header(
    "Idempotency-Key",
    { type: "string", pattern: "^[!-~]{1,255}$" },
    "1 to 255 visible ASCII characters, bare or as an RFC 8941 string. For 24 hours a repeat gets the stored answer.",
  ),
  ConsistencyToken: header(
    "Orrery-Consistency-Token",
    { type: "string", maxLength: 256 },
    "What a write answered with: the answer holds at least what it wrote. Waits at most 3 seconds.",
  ),
  LastEventId: header(
    "Last-Event-ID",
    { type: "string", maxLength: 64 },
    "The id of the last frame that was seen: the stream goes on after it.",
  ),
  Prefer: header(
    "Prefer",
    { type: "string", pattern: "^wait=[0-9]{1,2}$" },
    "wait=N waits up to N seconds, at most 60, for the job's end (RFC 7240). Other preferences are ignored.",
  ),
};

/** The parameters that every operation takes. */
export const EVERY_REQUEST: readonly string[] = ["CorrelationId", "Traceparent", "OrreryProject"];

/** References to parameter components. */
export function parameterRefs(components: readonly string[]): readonly Schema[] {
  return components.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}
