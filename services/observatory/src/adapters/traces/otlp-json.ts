import { isObject, type Json, type JsonObject } from "../../domain/envelope-payload.ts";
import { KEPT_ATTRIBUTES, type Span } from "../../domain/span.ts";
import { TRACE_LIMITS } from "./trace-limits.ts";

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
const NANOS = /^[1-9]\d{0,18}$/;
const STATUS_ERROR = 2;

/**
 * Reads what an exporter sends: OTLP as JSON. What is no span is left out, and of attributes all but the names that
 * are kept.
 *
 * @returns undefined for what is no such message, or too many spans at once
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function spansFromOtlp(body: string): readonly Span[] | undefined {
  const message = parsed(body);
  const resources = listAt(message, "resourceSpans");
  if (resources === undefined) return undefined;
  const spans = resources.flatMap((resource) => {
    const service = attributesOf(at(resource, "resource"))["service.name"] ?? "unknown";
    const written = (listAt(resource, "scopeSpans") ?? []).flatMap((scope) => listAt(scope, "spans") ?? []);
    return written.flatMap((span) => spanOf(span, cut(service, TRACE_LIMITS.nameCharacters)) ?? []);
  });
  return spans.length > TRACE_LIMITS.spansInBody ? undefined : spans;
}

function spanOf(span: Json, service: string): Span | undefined {
  const traceId = textAt(span, "traceId").toLowerCase();
  const spanId = textAt(span, "spanId").toLowerCase();
  const parent = textAt(span, "parentSpanId").toLowerCase();
  const start = nanosAt(span, "startTimeUnixNano");
  const end = nanosAt(span, "endTimeUnixNano");
  if (!TRACE_ID.test(traceId) || !SPAN_ID.test(spanId) || start === undefined || end === undefined) {
    return undefined;
  }
  const kept = Object.entries(attributesOf(span)).filter(([name]) => KEPT_ATTRIBUTES.has(name));
  return {
    traceId,
    spanId,
    parentSpanId: SPAN_ID.test(parent) ? parent : "",
    name: cut(textAt(span, "name"), TRACE_LIMITS.nameCharacters),
    service,
    startUs: Number(start / 1_000n),
    durationUs: Math.max(0, Number((end - start) / 1_000n)),
    failed: at(at(span, "status"), "code") === STATUS_ERROR,
    attributes: Object.fromEntries(
      kept.map(([name, value]) => [name, cut(value, TRACE_LIMITS.valueCharacters)]),
    ),
  };
}

/** Attributes whose value is a text, a number or a truth, as texts. */
function attributesOf(from: Json | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  for (const attribute of listAt(from, "attributes") ?? []) {
    const value = at(attribute, "value");
    const [plain] = ["stringValue", "intValue", "boolValue", "doubleValue"].flatMap(
      (kind) => at(value, kind) ?? [],
    );
    if (typeof plain === "string" || typeof plain === "number" || typeof plain === "boolean") {
      found[textAt(attribute, "key")] = String(plain);
    }
  }
  return found;
}

function parsed(body: string): JsonObject | undefined {
  try {
    const json = JSON.parse(body) as Json;
    return isObject(json) ? json : undefined;
  } catch {
    // Not JSON: no message, which the caller says.
    return undefined;
  }
}

function at(from: Json | undefined, key: string): Json | undefined {
  return isObject(from) ? from[key] : undefined;
}

function listAt(from: Json | undefined, key: string): readonly Json[] | undefined {
  const value = at(from, key);
  return Array.isArray(value) ? value : undefined;
}

function textAt(from: Json | undefined, key: string): string {
  const value = at(from, key);
  return typeof value === "string" ? value : "";
}

/** A 64-bit number is a text in JSON; a small exporter may write it as a number. */
function nanosAt(from: Json, key: string): bigint | undefined {
  const value = at(from, key);
  const digits = typeof value === "number" || typeof value === "string" ? String(value) : "";
  return NANOS.test(digits) ? BigInt(digits) : undefined;
}

const cut = (text: string, characters: number): string => text.slice(0, characters).toWellFormed();
