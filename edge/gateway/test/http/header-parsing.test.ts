import { describe, expect, test } from "@jest/globals";
import { systemClock } from "@orrery/mesh/time/clock";
import { takesAnything, wantsHtml } from "../../src/http/accept.ts";
import { acceptedEncoding, compressed } from "../../src/http/compression.ts";
import { requestTrace } from "../../src/http/exchange.ts";
import { preferredWaitSeconds } from "../../src/http/prefer.ts";

describe("Prefer", () => {
  test.each([
    ["wait=30", 30],
    ["wait=0", 0],
    ["wait=61", 60],
    ["wait=999999999", 60],
    ["respond-async, wait=5", 5],
    ["WAIT=5", 5],
    ['wait="7"', 7],
    ["wait = 7", 7],
  ])("%s asks to wait %s seconds", (header, seconds) => {
    expect(preferredWaitSeconds(header)).toBe(seconds);
  });

  test.each([
    undefined,
    "",
    "respond-async",
    "wait",
    "wait=",
    "wait=-1",
    "wait=1.5",
    "wait=abc",
    "waiting=5",
  ])("%s asks for nothing", (header) => {
    expect(preferredWaitSeconds(header)).toBeUndefined();
  });
});

describe("Accept", () => {
  test("only a client that names HTML gets a page", () => {
    expect(wantsHtml("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")).toBe(true);
    expect(wantsHtml("*/*")).toBe(false);
    expect(wantsHtml(undefined)).toBe(false);
  });

  test("no Accept and the wildcard leave the form open, anything named does not", () => {
    expect([undefined, "*/*", "*/*;q=0.1"].map(takesAnything)).toEqual([true, true, true]);
    expect(["application/json", "*/*, application/json"].map(takesAnything)).toEqual([false, false]);
  });
});

describe("Accept-Encoding", () => {
  test.each([
    ["br", "br"],
    ["gzip, deflate, br", "br"],
    ["gzip", "gzip"],
    ["GZIP;q=0.5", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["gzip;q=0", undefined],
    ["deflate", undefined],
    ["identity", undefined],
    [undefined, undefined],
  ])("%s is answered in %s", (header, encoding) => expect(acceptedEncoding(header)).toBe(encoding));

  test("bodies below 1 KiB stay as they are", async () => {
    expect(await compressed(Buffer.alloc(1_023, "a"), "gzip")).toBeUndefined();
    expect(await compressed(Buffer.alloc(1_024, "a"), "gzip")).toMatchObject({ encoding: "gzip" });
  });
});

describe("the trace of a request", () => {
  const traceOf = (headers: Record<string, string>) => requestTrace((name) => headers[name], systemClock);
  const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  test("goes on with the ids that came", () => {
    const trace = traceOf({ traceparent: parent, "x-correlation-id": "order-17" });
    expect(trace).toMatchObject({ correlationId: "order-17", traceId: "0af7651916cd43dd8448eb211c80319c" });
    expect(trace.traceparent).not.toBe(parent);
  });

  test.each([
    ["absent", {}],
    ["malformed", { traceparent: "00-xyz", "x-correlation-id": "a b" }],
    ["too long", { traceparent: "0".repeat(10_000), "x-correlation-id": "x".repeat(129) }],
    ["all zero", { traceparent: `00-${"0".repeat(32)}-${"0".repeat(16)}-01`, "x-correlation-id": "" }],
  ])("begins anew where they are %s", (_, headers) => {
    const trace = traceOf(headers);
    expect(trace.correlationId).toBe(trace.requestId);
    expect(trace.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
    expect(trace.traceparent).toContain(trace.traceId);
  });
});
