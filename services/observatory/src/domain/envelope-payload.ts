/** What JSON text can hold, once parsed. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** The job and the attempt that an event carries; both as ProtoJSON. */
export interface EventPayload {
  readonly job: JsonObject;
  readonly attempt: JsonObject | undefined;
}

/** Opens an envelope that was checked before it was stored. */
export function payloadOf(envelope: string): EventPayload {
  const payload = objectAt(JSON.parse(envelope) as Json, "payload");
  return { job: objectAt(payload, "job") ?? {}, attempt: objectAt(payload, "attempt") };
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
