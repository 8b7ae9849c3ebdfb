/** What JSON text can hold, once parsed. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** The job or the mission that an event carries, as ProtoJSON; the envelope was checked before it was stored. */
export function aggregateOf(envelope: string, kind: "job" | "mission"): JsonObject {
  return objectAt(payloadOf(envelope), kind) ?? {};
}

/** The attempt that an event about a job began or ended, as ProtoJSON; undefined where it did neither. */
export function attemptOf(envelope: string): JsonObject | undefined {
  return objectAt(payloadOf(envelope), "attempt");
}

/** The trace that an event belongs to; empty where it has none. */
export function traceIdIn(envelope: string): string {
  const parsed = JSON.parse(envelope) as Json;
  const traceId = isObject(parsed) ? parsed.traceId : undefined;
  return typeof traceId === "string" ? traceId : "";
}

function payloadOf(envelope: string): JsonObject | undefined {
  return objectAt(JSON.parse(envelope) as Json, "payload");
}

/** The object under a key; undefined where there is none, or something else. */
export function objectAt(json: Json | undefined, key: string): JsonObject | undefined {
  const value = isObject(json) ? json[key] : undefined;
  return isObject(value) ? value : undefined;
}

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** The event's name: the last word of its type. */
export function payloadName(eventType: Json | undefined): string {
  return typeof eventType === "string" ? eventType.slice(eventType.lastIndexOf(".") + 1) : "";
}
