import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Context, context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { Fault } from "../../src/fault/fault.ts";
import { createLogger, type LogLevel } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import {
  childTraceparent,
  inContextOf,
  inTraceOf,
  newTraceparent,
  parseTraceparent,
  traceIdOf,
} from "../../src/telemetry/trace.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";

function logging(level: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return {
    lines,
    logger: createLogger({ service: "echo", instance: "echo-0", level, clock: new ManualClock(), write }),
  };
}

test("a line carries time, severity, service, instance, its fields and those of its logger", () => {
  const { lines, logger } = logging("info");
  logger.child({ queue: "q" }).info("started", { count: 3 });
  expect(lines).toEqual([
    {
      timestamp: "2026-01-01T00:00:00.000Z",
      severity: "INFO",
      service_name: "echo",
      instance: "echo-0",
      queue: "q",
      count: 3,
      message: "started",
    },
  ]);
});

test("lines below the level are not written, security events always are", () => {
  const { lines, logger } = logging("error");
  logger.debug("a");
  logger.info("b");
  logger.warn("c");
  logger.error("d");
  logger.security("policy.caller_refused", { caller: "worker" });
  expect(lines.map(({ message }) => message)).toEqual(["d", "policy.caller_refused"]);
  expect(lines[1]).toMatchObject({ security_event: "policy.caller_refused", caller: "worker" });
});

test("an error is written with type, reason and cause, a bigint as text, a long text cut", () => {
  const { lines, logger } = logging("info");
  const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  logger.error("failed", {
    error: new Fault("DEPENDENCY_UNAVAILABLE", { detail: "away" }, { cause }),
    big: 12n,
    long: "x".repeat(10_000),
  });
  expect(lines[0]).toMatchObject({
    big: "12",
    error: {
      type: "Fault",
      reason: "DEPENDENCY_UNAVAILABLE",
      message: "away",
      cause: { code: "ECONNREFUSED" },
    },
  });
  expect(String(lines[0]?.long).length).toBeLessThan(8_200);
});

test("a field that refers to itself costs the fields, not the line", () => {
  const { lines, logger } = logging("info");
  const self: Record<string, unknown> = {};
  self.self = self;
  logger.info("odd", { self });
  expect(lines[0]).toMatchObject({ message: "odd", unreadable: true });
});

test("asking for a metric twice gives the same one, and all carry the service", async () => {
  const metrics = createMetrics({ service: "echo", defaults: false });
  metrics.counter("orrery_things_total", "Things.", ["kind"]).inc({ kind: "a" });
  metrics.counter("orrery_things_total", "Things.", ["kind"]).inc({ kind: "a" });
  expect(await metrics.registry.metrics()).toContain('orrery_things_total{kind="a",service="echo"} 2');
});

test("the label after the limit, and every new one after it, shows as _other", () => {
  const label = createMetrics({ service: "echo", defaults: false }).boundedLabel(2);
  expect(["a", "b", "c", "a", "d", "b"].map(label)).toEqual(["a", "b", "_other", "a", "_other", "b"]);
});

test.each([
  undefined,
  "",
  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
  "00-00000000000000000000000000000000-b7ad6b7169203331-01",
  "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
  "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
  "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
])("%p is not a traceparent, and a new trace begins", (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
  expect(parseTraceparent(childTraceparent(header))).toBeDefined();
  expect(traceIdOf(header)).toMatch(/^[0-9a-f]{32}$/);
});

test("a child stays in its parent's trace with a span of its own, and keeps the sampling decision", () => {
  const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  const child = parseTraceparent(childTraceparent(parent));
  expect(child).toMatchObject({ traceId: "0af7651916cd43dd8448eb211c80319c", sampled: false });
  expect(child?.spanId).not.toBe("b7ad6b7169203331");
  expect(parseTraceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more")?.sampled).toBe(
    true,
  );
  expect(parseTraceparent(newTraceparent())?.sampled).toBe(true);
});

describe("without a collector", () => {
  // As the preload of every process does it: a context manager, and no tracer.
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });
  afterAll(() => context.disable());

  const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  const unrecorded = { start: (from: Context) => trace.getTracer("test").startSpan("work", {}, from) };

  test("work below a caller's span goes on in its trace, log lines and calls included", () => {
    const { lines, logger } = logging("info");
    const said = inContextOf(parseTraceparent(parent), {
      ...unrecorded,
      work: (span) => {
        logger.info("at work");
        return { span, handedOn: parseTraceparent(childTraceparent(undefined)) };
      },
    });
    expect(said.span).toBeUndefined();
    expect(said.handedOn).toMatchObject({ traceId: "0af7651916cd43dd8448eb211c80319c", sampled: false });
    expect(said.handedOn?.spanId).not.toBe("b7ad6b7169203331");
    expect(lines[0]).toMatchObject({ trace_id: "0af7651916cd43dd8448eb211c80319c" });
  });

  test("work without a caller's span begins one trace and stays in it", () => {
    const [first, second] = inContextOf(undefined, {
      ...unrecorded,
      work: () => [childTraceparent(undefined), childTraceparent(undefined)],
    });
    expect(parseTraceparent(first)?.traceId).toBe(parseTraceparent(second)?.traceId);
    expect(parseTraceparent(first)?.sampled).toBe(true);
  });

  test("a served call logs under the trace that it came with", () => {
    const { lines, logger } = logging("info");
    inTraceOf(parent, () => logger.info("served"));
    inTraceOf("not a traceparent", () => logger.info("served too"));
    expect(lines.map(({ trace_id }) => trace_id)).toEqual(["0af7651916cd43dd8448eb211c80319c", undefined]);
  });
});
