import { expect, test } from "@jest/globals";
import { parseTraceparent } from "@orrery/mesh/telemetry/trace";
import { recordSpans } from "@orrery/mesh/testing/recorded-spans";
import { decisionSpans, traceErrand } from "../../src/application/mission-spans.ts";
import type { HeldErrand } from "../../src/application/ports.ts";
import { launch } from "../../src/domain/decisions.ts";
import { aLaunch, aStep, MISSION_ID, NOW } from "../mission-factory.ts";

const ended = recordSpans();
const SPAN_ID = "b7ad6b7169203331";
const KEPT = `00-0af7651916cd43dd8448eb211c80319c-${SPAN_ID}-01`;
const DROPPED = `00-0af7651916cd43dd8448eb211c80319c-${SPAN_ID}-00`;
const JOB_ID = "01a1fd6c-2a40-7000-8000-0000000000bb";

const mission = (traceparent: string) =>
  launch(aLaunch([aStep("reserve")], { traceparent }), MISSION_ID, NOW).mission;
const errand = (traceparent: string, changes: Partial<HeldErrand> = {}): HeldErrand => ({
  jobId: JOB_ID,
  missionId: MISSION_ID,
  step: "reserve",
  role: "RUN",
  kind: "submit",
  seenVersion: 0,
  task: "do.reserve",
  queue: "default",
  inputText: undefined,
  timeoutMs: undefined,
  maxAttempts: undefined,
  caller: { project: "demo", principal: "ann", correlationId: "c-1", traceparent },
  ...changes,
});

test("a decision is a span of its mission's trace once it is durable", () => {
  {
    using spans = decisionSpans("mission.begin");
    spans.open([mission(KEPT), mission(DROPPED)]);
    expect(ended()).toEqual([]);
    spans.committed();
  }
  const attributes = { "orrery.project": "demo", "orrery.aggregate": MISSION_ID };
  expect(ended()).toMatchObject([
    { name: "mission.begin", parentSpanId: SPAN_ID, failed: false, attributes },
  ]);
});

test("a transaction that failed, or had to be tried again, left spans that failed", () => {
  {
    using spans = decisionSpans("mission.advance");
    spans.open([mission(KEPT)]);
    spans.open([mission(KEPT)]);
  }
  expect(ended().map(({ failed }) => failed)).toEqual([true, true]);
});

test("what the jobs service does for an errand is a part of the errand's span", () => {
  const traced = traceErrand(errand(KEPT));
  traced.end(false);
  const [span] = ended();
  expect(span).toMatchObject({ name: "step.submit", parentSpanId: SPAN_ID, failed: false });
  expect(span?.attributes).toEqual({ "orrery.project": "demo", "orrery.aggregate": JOB_ID });
  expect(parseTraceparent(traced.errand.caller.traceparent)).toMatchObject({
    spanId: span?.spanId,
    sampled: true,
  });
});

test.each([
  ["UNDO", "submit", "undo.submit"],
  ["UNDO_UNKNOWN", "retry", "undo.retry"],
  ["RUN", "look", "step.look"],
] as const)("the errand of a job for %s that is a %s shows as %s", (role, kind, name) => {
  traceErrand(errand(KEPT, { role, kind })).end(true);
  expect(ended()).toMatchObject([{ name, failed: true }]);
});

test("an errand of a trace that nobody keeps is handed on as it is", () => {
  const plain = errand(DROPPED);
  const traced = traceErrand(plain);
  traced.end(false);
  expect(traced.errand).toBe(plain);
  expect(ended()).toEqual([]);
});
