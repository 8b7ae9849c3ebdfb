import { describe, expect, test } from "@jest/globals";
import { spansFromOtlp } from "../../../src/adapters/traces/otlp-json.ts";
import { TRACE_LIMITS } from "../../../src/adapters/traces/trace-limits.ts";
import { idOf, TRACE_ID } from "../../span-factory.ts";

const WRITTEN = {
  traceId: TRACE_ID.toUpperCase(),
  spanId: idOf(2),
  parentSpanId: idOf(1),
  name: "POST /v1/jobs",
  kind: 2,
  startTimeUnixNano: "1795000000123456789",
  endTimeUnixNano: "1795000000125456789",
  attributes: [
    { key: "orrery.project", value: { stringValue: "demo" } },
    { key: "http.response.status_code", value: { intValue: 202 } },
    { key: "http.request.body", value: { stringValue: "secret" } },
    { key: "net.peer.name", value: { stringValue: "10.0.0.1" } },
    { key: "orrery.caller", value: { arrayValue: {} } },
  ],
  status: { code: 2 },
};
const message = (...spans: readonly unknown[]) =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "gateway" } }] },
        scopeSpans: [{ scope: { name: "orrery" }, spans }],
      },
    ],
  });

describe("an OTLP message", () => {
  test("becomes spans, with the attributes that are on the list and no others", () => {
    expect(spansFromOtlp(message(WRITTEN))).toEqual([
      {
        traceId: TRACE_ID,
        spanId: idOf(2),
        parentSpanId: idOf(1),
        name: "POST /v1/jobs",
        service: "gateway",
        startUs: 1_795_000_000_123_456,
        durationUs: 2_000,
        failed: true,
        attributes: { "orrery.project": "demo", "http.response.status_code": "202" },
      },
    ]);
  });

  test.each([
    ["another length of a trace id", { traceId: "abc" }],
    ["a span id of zeros", { spanId: "0".repeat(16) }],
    ["no start", { startTimeUnixNano: undefined }],
    ["an end that is no number", { endTimeUnixNano: "soon" }],
  ])("leaves out a span with %s, and keeps its neighbour", (_what, told) => {
    expect(spansFromOtlp(message({ ...WRITTEN, ...told }, WRITTEN))).toHaveLength(1);
  });

  test.each(["", "{", "[]", "null", '{"resourceSpans":1}'])("is not %p", (body) => {
    expect(spansFromOtlp(body)).toBeUndefined();
  });

  test.each(["{}", '{"resourceSpans":[1,null,{"scopeSpans":[{"spans":[7,null,"x"]}]}]}'])(
    "of nonsense inside is empty or refused, and throws nothing: %p",
    (body) => {
      expect(spansFromOtlp(body) ?? []).toEqual([]);
    },
  );

  test("cuts long texts, and refuses more spans than a body may hold", () => {
    const [long] = spansFromOtlp(message({ ...WRITTEN, name: "n".repeat(1_000) })) ?? [];
    expect(long?.name).toHaveLength(TRACE_LIMITS.nameCharacters);
    const many = Array.from({ length: TRACE_LIMITS.spansInBody + 1 }, () => WRITTEN);
    expect(spansFromOtlp(message(...many))).toBeUndefined();
  });
});
