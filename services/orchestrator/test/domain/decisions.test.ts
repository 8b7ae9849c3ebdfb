import { describe, expect, test } from "@jest/globals";
import { VALUE_LEVELS } from "@orrery/mesh/transport/json-value";
import type { StepPlan } from "../../src/domain/mission.ts";
import { errorOf } from "../../src/domain/mission.ts";
import { aStep, failed, Life, lost, succeeded } from "../mission-factory.ts";

const line = (): StepPlan[] => [aStep("a"), aStep("b"), aStep("c")];
const fork = (): StepPlan[] => [
  aStep("r"),
  aStep("x", { after: ["r"] }),
  aStep("y", { after: ["r"] }),
  aStep("z", { after: ["x", "y"] }),
];
const pivotal = (): StepPlan[] => [
  aStep("a"),
  aStep("p", { noUndo: true, pivot: true }),
  aStep("z", { noUndo: true }),
  aStep("zz", { noUndo: true }),
];
const withQuestion = (): StepPlan[] => [
  aStep("a"),
  aStep("b", { undoUnknown: { task: "ask.b" } }),
  aStep("c"),
];

describe("a mission whose steps succeed", () => {
  test("runs them as written, and tells each step of it once", () => {
    const life = Life.begun(line()).ends("a", succeeded()).ends("b", succeeded()).ends("c", succeeded());
    expect(life.facts).toEqual([
      "Created",
      "Started",
      "StepStarted a",
      "StepSucceeded a",
      "StepStarted b",
      "StepSucceeded b",
      "StepStarted c",
      "StepSucceeded c",
      "Succeeded",
    ]);
    expect(life.mission).toMatchObject({ status: "SUCCEEDED", version: 9 });
    expect(life.transitions.map(({ mission }) => mission.version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("runs branches side by side, and waits for all of them where they meet", () => {
    const life = Life.begun(fork()).ends("r", succeeded());
    expect(life.statuses).toBe("r:SUCCEEDED x:RUNNING y:RUNNING z:PENDING");
    expect(life.ends("y", succeeded()).statuses).toBe("r:SUCCEEDED x:RUNNING y:SUCCEEDED z:PENDING");
    expect(life.ends("x", succeeded()).statuses).toBe("r:SUCCEEDED x:SUCCEEDED y:SUCCEEDED z:RUNNING");
    expect(life.ends("z", succeeded()).mission.status).toBe("SUCCEEDED");
  });

  test("gives each job its input: the mission's, or its own with every reference replaced", () => {
    const steps = [
      aStep("a", { timeoutMs: 5_000, maxAttempts: 2, queue: "q" }),
      aStep("b", {
        input: {
          was: { $from: "steps.a.output.n" },
          key: { $from: "steps.a.idempotencyKey" },
          in: { $from: "input.a" },
        },
      }),
    ];
    const life = Life.begun(steps).ends("a", succeeded({ n: [7] }));
    const [a, b] = life.errands;
    expect(a).toMatchObject({
      role: "RUN",
      inputText: '{"a":1}',
      timeoutMs: 5_000,
      maxAttempts: 2,
      queue: "q",
    });
    expect(b).toMatchObject({ inputText: JSON.stringify({ was: [7], key: life.step("a").jobId, in: 1 }) });
  });

  test("begins once, however often it is told to", () => {
    const life = Life.begun(line()).begin();
    expect(life.tasks).toEqual(["do.a"]);
  });

  test("takes in each end once, and none that it does not wait for", () => {
    const life = Life.begun(line()).ends("a", succeeded());
    const { jobId } = life.step("a");
    const { version } = life.job(jobId, failed()).job("no-job", failed()).mission;
    expect(version).toBe(5);
  });
});

describe("a mission with a failure", () => {
  test("in its first step has nothing to undo: FAILED", () => {
    const life = Life.begun(line()).ends("a", failed());
    expect(life.facts.slice(3)).toEqual(["StepFailed a", "StepSkipped b", "StepSkipped c", "Failed"]);
    expect(errorOf(life.mission)).toEqual({ type: "BROKEN", message: "BROKEN it was", step: "a" });
  });

  test("I16: undoes what was done in reverse order of starting, one after the other: COMPENSATED", () => {
    const life = Life.begun(line()).ends("a", succeeded("A")).ends("b", succeeded("B")).ends("c", failed());
    expect(life.statuses).toBe("a:SUCCEEDED b:UNDOING c:FAILED");
    life.ends("b", succeeded());
    expect(life.statuses).toBe("a:UNDOING b:UNDONE c:FAILED");
    life.ends("a", succeeded());
    expect(life.facts.slice(7)).toEqual([
      "StepFailed c",
      "CompensationStarted",
      "StepUndoStarted b",
      "StepUndone b",
      "StepUndoStarted a",
      "StepUndone a",
      "Compensated",
    ]);
    expect(life.tasks).toEqual(["do.a", "do.b", "do.c", "undo.b", "undo.a"]);
  });

  test("gives an undo its step's input, output and key, unless it has an input of its own", () => {
    const steps = [
      aStep("a", { undo: { task: "undo.a", input: { of: { $from: "steps.a.output" } } } }),
      aStep("b", { input: { x: { $from: "steps.a.output" } } }),
      aStep("c"),
    ];
    const life = Life.begun(steps).ends("a", succeeded("A")).ends("b", succeeded("B")).ends("c", failed());
    life.ends("b", succeeded());
    const inputs = life.errands.flatMap((errand) => (errand.kind === "submit" ? [errand.inputText] : []));
    expect(inputs[3]).toBe(
      JSON.stringify({ idempotencyKey: life.step("b").jobId, input: { x: "A" }, output: "B" }),
    );
    expect(inputs[4]).toBe('{"of":"A"}');
  });

  test("tells an undo of an input and an output that are each as large as they may be", () => {
    const half = "x".repeat(190 * 1024);
    const own = { task: "undo.a", input: [{ $from: "input" }, { $from: "steps.a.output" }] };
    const steps = [aStep("a", { undo: own }), aStep("b"), aStep("c")];
    const life = Life.begun(steps, { inputText: JSON.stringify(half) });
    life.ends("a", succeeded(half)).ends("b", succeeded(half)).ends("c", failed()).ends("b", succeeded());
    expect(life.tasks).toEqual(["do.a", "do.b", "do.c", "undo.b", "undo.a"]);
    expect(life.ends("a", succeeded()).mission.status).toBe("COMPENSATED");
  });

  test("begins no step whose input would be larger than an input may be, in bytes", () => {
    const half = "é".repeat(50 * 1024);
    const life = Life.begun([aStep("a", { input: [{ $from: "input" }, half] })], {
      inputText: JSON.stringify(half),
    });
    expect(life.mission).toMatchObject({ status: "FAILED", cause: { type: "JOB_REFUSED", step: "a" } });
    expect(life.tasks).toEqual([]);
  });

  test("begins a step whose input is as deep as a job's may be, and none whose references make it deeper", () => {
    const inputText = `${"[".repeat(VALUE_LEVELS)}${"]".repeat(VALUE_LEVELS)}`;
    expect(Life.begun([aStep("a", { input: { $from: "input" } })], { inputText }).tasks).toEqual(["do.a"]);
    const deeper = Life.begun([aStep("a", { input: [{ $from: "input" }] })], { inputText });
    expect(deeper.mission).toMatchObject({ status: "FAILED", cause: { type: "JOB_REFUSED", step: "a" } });
    expect(deeper.tasks).toEqual([]);
  });

  test("cancels running branches and awaits their ends before it undoes any", () => {
    const life = Life.begun(fork()).ends("r", succeeded()).ends("x", failed());
    expect(life.statuses).toBe("r:SUCCEEDED x:FAILED y:RUNNING z:SKIPPED");
    expect(life.errands.at(-1)).toEqual({ kind: "cancel", jobId: life.step("y").jobId });
    life.ends("y", succeeded());
    expect(life.statuses).toBe("r:SUCCEEDED x:FAILED y:UNDOING z:SKIPPED");
    life.ends("y", succeeded()).ends("r", succeeded());
    expect(life.mission.status).toBe("COMPENSATED");
  });

  test("leaves alone what has nothing to undo", () => {
    const life = Life.begun([aStep("a", { noUndo: true }), aStep("b")])
      .ends("a", succeeded())
      .ends("b", failed());
    expect([life.mission.status, life.statuses]).toEqual(["FAILED", "a:SUCCEEDED b:FAILED"]);
  });

  test("fails a step before it begins whose input refers to what is not there", () => {
    const life = Life.begun([aStep("a"), aStep("b", { input: { $from: "steps.a.output.x" } })]).ends(
      "a",
      succeeded({}),
    );
    expect(life.step("b")).toMatchObject({
      status: "FAILED",
      jobId: "",
      error: { type: "REFERENCE_MISSING" },
    });
    expect(life.tasks).toEqual(["do.a", "undo.a"]);
  });
});

describe("a step of unknown outcome", () => {
  test("is settled by its undoUnknown, which is told no output", () => {
    const life = Life.begun(withQuestion()).ends("a", succeeded()).ends("b", lost());
    expect(life.statuses).toBe("a:SUCCEEDED b:UNDOING c:SKIPPED");
    const { jobId } = life.step("b");
    expect(life.errands.at(-1)).toMatchObject({
      task: "ask.b",
      role: "UNDO_UNKNOWN",
      inputText: JSON.stringify({ idempotencyKey: jobId, input: { a: 1 } }),
    });
    life.ends("b", succeeded()).ends("a", succeeded());
    expect(life.mission).toMatchObject({ status: "COMPENSATED", cause: { type: "STEP_UNKNOWN", step: "b" } });
  });

  test("without one stops the mission, which undoes nothing by itself", () => {
    const life = Life.begun(line()).ends("a", succeeded()).ends("b", lost());
    expect([life.mission.status, life.statuses]).toEqual([
      "NEEDS_ATTENTION",
      "a:SUCCEEDED b:UNKNOWN c:PENDING",
    ]);
    expect(errorOf(life.mission)).toMatchObject({ type: "STEP_UNKNOWN", step: "b" });
  });

  test.each([
    ["DONE", "a:SUCCEEDED b:SUCCEEDED c:RUNNING", "RUNNING"],
    ["NOT_DONE", "a:UNDOING b:FAILED c:SKIPPED", "COMPENSATING"],
    ["UNDONE", "a:UNDOING b:UNDONE c:SKIPPED", "COMPENSATING"],
  ] as const)("goes on as a person's %s says", (outcome, statuses, status) => {
    const life = Life.begun(line()).ends("a", succeeded()).ends("b", lost());
    expect(life.asks({ kind: "resolve", step: "b", outcome }, "looked")).toBeUndefined();
    expect([life.statuses, life.mission.status]).toEqual([statuses, status]);
    const resolved = life.transitions.find(({ fact }) => fact === "MissionResolved");
    expect(resolved).toMatchObject({ step: "b", word: { principal: "ann", note: "looked", outcome } });
  });

  test("is tried again under the same job, and the mission goes on when it succeeds", () => {
    const life = Life.begun(line()).ends("a", succeeded()).ends("b", lost());
    const { jobId } = life.step("b");
    expect(life.asks({ kind: "retry" })).toBeUndefined();
    expect(life.errands.at(-1)).toEqual({ kind: "retry", jobId });
    life.ends("b", succeeded());
    expect(life.statuses).toBe("a:SUCCEEDED b:SUCCEEDED c:RUNNING");
  });

  test("on the way back stops it when its turn has come, and is undone if a person says that it was done", () => {
    const life = Life.begun(fork()).ends("r", succeeded()).ends("x", failed()).ends("y", lost());
    expect(life.mission).toMatchObject({
      status: "NEEDS_ATTENTION",
      direction: "BACK",
      attention: { step: "y" },
    });
    life.asks({ kind: "resolve", step: "y", outcome: "DONE" });
    expect(life.statuses).toBe("r:SUCCEEDED x:FAILED y:UNDOING z:SKIPPED");
  });

  test("lets the branches beside it come to their ends while the mission waits", () => {
    const life = Life.begun(fork()).ends("r", succeeded()).ends("x", lost()).ends("y", succeeded());
    expect([life.mission.status, life.statuses]).toEqual([
      "NEEDS_ATTENTION",
      "r:SUCCEEDED x:UNKNOWN y:SUCCEEDED z:PENDING",
    ]);
    life.asks({ kind: "resolve", step: "x", outcome: "DONE" });
    expect(life.step("z").status).toBe("RUNNING");
  });
});

describe("past its pivot a mission", () => {
  const past = (): Life => Life.begun(pivotal()).ends("a", succeeded()).ends("p", succeeded());

  test.each([
    ["failed", failed()],
    ["unknown", lost()],
  ])("undoes nothing: a step that is %s needs attention", (_, end) => {
    const life = past().ends("z", end);
    expect(life.mission).toMatchObject({
      status: "NEEDS_ATTENTION",
      attention: { type: "FAILED_PAST_PIVOT", step: "z" },
    });
    expect(life.step("a").status).toBe("SUCCEEDED");
  });

  test("goes on when the step is tried again and succeeds, or a person says that it was done", () => {
    const again = past().ends("z", failed());
    again.asks({ kind: "retry" });
    expect(again.ends("z", succeeded()).step("zz").status).toBe("RUNNING");
    const resolved = past().ends("z", failed());
    resolved.asks({ kind: "resolve", step: "z", outcome: "DONE" });
    expect(resolved.step("zz").status).toBe("RUNNING");
  });

  test("fails without the steps that depend on one that a person gave up", () => {
    const life = past().ends("z", failed());
    life.asks({ kind: "resolve", step: "z", outcome: "NOT_DONE" });
    expect([life.mission.status, life.statuses]).toEqual([
      "FAILED",
      "a:SUCCEEDED p:SUCCEEDED z:FAILED zz:SKIPPED",
    ]);
  });

  test("cannot be cancelled, nor while the pivot runs, nor have a step undone by hand", () => {
    expect(past().asks({ kind: "cancel" })).toBe("MISSION_PAST_PIVOT");
    expect(Life.begun(pivotal()).ends("a", succeeded()).asks({ kind: "cancel" })).toBe("MISSION_PAST_PIVOT");
    const life = past().ends("z", failed());
    expect(life.asks({ kind: "resolve", step: "z", outcome: "UNDONE" })).toBe("MISSION_NOT_RESOLVABLE");
  });

  test("is not, while the pivot itself has failed: it is undone", () => {
    const life = Life.begun(pivotal()).ends("a", succeeded()).ends("p", failed()).ends("a", succeeded());
    expect(life.mission.status).toBe("COMPENSATED");
  });
});

describe("an undo that fails for good", () => {
  const stuck = (): Life =>
    Life.begun(line()).ends("a", succeeded()).ends("b", failed()).ends("a", failed("NO_UNDO"));

  test("stops the mission", () => {
    const life = stuck();
    expect([life.mission.status, life.statuses]).toEqual([
      "NEEDS_ATTENTION",
      "a:UNDO_FAILED b:FAILED c:SKIPPED",
    ]);
    expect(errorOf(life.mission)).toMatchObject({ type: "UNDO_FAILED", step: "a" });
    expect(life.facts.slice(-2)).toEqual(["StepUndoFailed a", "NeedsAttention a"]);
  });

  test("is tried again under the same job", () => {
    const life = stuck();
    life.asks({ kind: "retry" });
    expect(life.errands.at(-1)).toEqual({ kind: "retry", jobId: life.step("a").undoJobId });
    expect(life.ends("a", succeeded()).mission).toMatchObject({
      status: "COMPENSATED",
      cause: { step: "b" },
    });
  });

  test("is settled by a person who undid it, and by no other word", () => {
    const life = stuck();
    for (const outcome of ["DONE", "NOT_DONE"] as const)
      expect(life.asks({ kind: "resolve", step: "a", outcome })).toBe("MISSION_NOT_RESOLVABLE");
    life.asks({ kind: "resolve", step: "a", outcome: "UNDONE" });
    expect(life.mission.status).toBe("COMPENSATED");
  });

  test("because its input refers to nothing was never begun, and is begun when it is tried again", () => {
    const steps = [aStep("a", { undo: { task: "u", input: { $from: "steps.a.output.x" } } }), aStep("b")];
    const life = Life.begun(steps).ends("a", succeeded()).ends("b", failed());
    expect(life.step("a")).toMatchObject({
      status: "UNDO_FAILED",
      undoJobId: "",
      error: { type: "REFERENCE_MISSING" },
    });
    expect(life.asks({ kind: "retry" })).toBeUndefined();
    expect(life.mission.status).toBe("NEEDS_ATTENTION");
  });
});

describe("a cancellation", () => {
  test("before the first step leaves nothing to do", () => {
    const life = new Life(line());
    life.asks({ kind: "cancel" });
    expect(life.facts).toEqual([
      "Created",
      "CancelRequested",
      "StepSkipped a",
      "StepSkipped b",
      "StepSkipped c",
      "Cancelled",
    ]);
    expect(life.begin().tasks).toEqual([]);
  });

  test("cancels what runs, undoes what was done, and is asked for once", () => {
    const life = Life.begun(line()).ends("a", succeeded());
    expect(life.asks({ kind: "cancel" }, "stop")).toBeUndefined();
    expect(life.errands.at(-1)).toEqual({ kind: "cancel", jobId: life.step("b").jobId });
    expect(life.asks({ kind: "cancel" })).toBe("same");
    life.ends("b", failed("CANCELLED")).ends("a", succeeded());
    expect(life.mission.status).toBe("COMPENSATED");
    expect(life.asks({ kind: "cancel" })).toBe("same");
  });

  test("with nothing to undo ends CANCELLED, and undoes a step that was faster than it", () => {
    const life = Life.begun(line());
    life.asks({ kind: "cancel" });
    expect(life.ends("a", failed("CANCELLED")).mission.status).toBe("CANCELLED");
    const late = Life.begun(line());
    late.asks({ kind: "cancel" });
    expect(late.ends("a", succeeded()).step("a").status).toBe("UNDOING");
  });

  test("does not touch an undo", () => {
    const life = Life.begun(line()).ends("a", succeeded()).ends("b", failed());
    expect(life.asks({ kind: "cancel" })).toBe("same");
    expect(life.errands.filter(({ kind }) => kind === "cancel")).toEqual([]);
  });

  test("of a mission that needs attention counts when a person has settled it", () => {
    const life = Life.begun(line()).ends("a", succeeded()).ends("b", lost());
    expect(life.asks({ kind: "cancel" })).toBeUndefined();
    expect(life.mission.status).toBe("NEEDS_ATTENTION");
    life.asks({ kind: "resolve", step: "b", outcome: "DONE" });
    expect(life.statuses).toBe("a:SUCCEEDED b:UNDOING c:SKIPPED");
  });

  test("comes too late for a mission that has ended", () => {
    expect(Life.begun(line()).ends("a", failed()).asks({ kind: "cancel" })).toBe("MISSION_ALREADY_FINISHED");
  });
});

describe("a command is refused", () => {
  const running = (): Life => Life.begun(line());
  test.each([
    [
      "to retry what does not need attention",
      () => running().asks({ kind: "retry" }),
      "MISSION_NOT_RETRYABLE",
    ],
    [
      "to retry what has ended",
      () => running().ends("a", failed()).asks({ kind: "retry" }),
      "MISSION_NOT_RETRYABLE",
    ],
    [
      "to resolve what does not need attention",
      () => running().asks({ kind: "resolve", step: "a", outcome: "DONE" }),
      "MISSION_NOT_RESOLVABLE",
    ],
    [
      "to resolve another step",
      () => running().ends("a", lost()).asks({ kind: "resolve", step: "b", outcome: "DONE" }),
      "MISSION_NOT_RESOLVABLE",
    ],
    [
      "to resolve no step at all",
      () => running().ends("a", lost()).asks({ kind: "resolve", step: "?", outcome: "DONE" }),
      "MISSION_NOT_RESOLVABLE",
    ],
  ])("%s", (_, ask, reason) => {
    expect(ask()).toBe(reason);
  });
});
