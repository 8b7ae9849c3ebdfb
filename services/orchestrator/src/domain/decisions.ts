// Every decision about a mission: a mission and what happened go in, the mission after it and its facts come out.
import { advance, failedPastPivot, isOpenQuestion, nextToUndo, undoOf } from "./advance.ts";
import { Course, type Moment } from "./course.ts";
import { boundedMessage } from "./error-text.ts";
import {
  isPastPivot,
  type Mission,
  type MissionError,
  type Outcome,
  type Progress,
  type Step,
  type StepPlan,
  type Word,
} from "./mission.ts";
import { hasEnded, type StepStatus } from "./mission-state.ts";
import { ordered } from "./plan.ts";
import { afresh, beginStep, beginUndo } from "./step-job.ts";

/** What is asked for at a launch, checked already. */
export interface Launch {
  readonly project: string;
  readonly name: string;
  readonly inputText: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly principal: string;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly steps: readonly StepPlan[];
}

/** How a job of a mission ended. `unknown`: it did not succeed, and whether it did its work nobody knows. */
export type JobEnd =
  | { readonly kind: "succeeded"; readonly outputText: string | undefined }
  | { readonly kind: "failed"; readonly unknown: boolean; readonly error: { type: string; message: string } };

/** Why a command is not carried out. */
export type CommandRefusal =
  | "MISSION_ALREADY_FINISHED"
  | "MISSION_PAST_PIVOT"
  | "MISSION_NOT_RETRYABLE"
  | "MISSION_NOT_RESOLVABLE";

/** What a command comes to. `same` accepts it and changes nothing. */
export type CommandDecision =
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "same" }
  | { readonly kind: "refused"; readonly reason: CommandRefusal };

/** What a person asks of a mission. */
export type Command =
  | { readonly kind: "cancel" | "retry" }
  | { readonly kind: "resolve"; readonly step: string; readonly outcome: Outcome };

/** Makes a mission of a launch: PENDING. */
export function launch(asked: Launch, id: string, nowMs: number): Progress {
  const { steps, ...terms } = asked;
  const mission: Mission = {
    ...terms,
    id,
    createMs: nowMs,
    status: "PENDING",
    version: 1,
    direction: "FORWARD",
    startMs: undefined,
    endMs: undefined,
    cancelRequestMs: undefined,
    cause: undefined,
    attention: undefined,
    steps: ordered(steps).map(notBegun),
  };
  const created = { mission, from: undefined, fact: "MissionCreated" as const, step: "" };
  return { mission, transitions: [{ ...created, occurredMs: nowMs, word: undefined }], errands: [] };
}

const notBegun = (plan: StepPlan): Step => ({
  plan,
  status: "PENDING",
  jobId: "",
  undoJobId: "",
  startOrder: 0,
  startMs: undefined,
  endMs: undefined,
  error: undefined,
  inDoubt: false,
  settled: false,
  outputText: undefined,
});

/** Begins a mission; one that has begun already stays as it is. */
export function begin(mission: Mission, moment: Moment): Progress {
  const course = new Course(mission, moment);
  if (mission.status === "PENDING") {
    course.move({ fact: "MissionStarted", mission: { startMs: moment.nowMs } });
    advance(course);
  }
  return course.progress;
}

/** Takes in how a job ended. What is not, or no longer, waited for changes nothing. */
export function learn(mission: Mission, job: { jobId: string; end: JobEnd }, moment: Moment): Progress {
  const course = new Course(mission, moment);
  const { jobId, end } = job;
  const run = mission.steps.find((step) => step.jobId === jobId && step.status === "RUNNING");
  const undo = mission.steps.find((step) => step.undoJobId === jobId && step.status === "UNDOING");
  if (run !== undefined) learnOfStep(course, run, end);
  else if (undo !== undefined) learnOfUndo(course, undo, end);
  if (course.mission !== mission) advance(course);
  return course.progress;
}

function learnOfStep(course: Course, { plan }: Step, end: JobEnd): void {
  const { name } = plan;
  const endMs = course.moment.nowMs;
  if (end.kind === "succeeded") {
    const changes = { status: "SUCCEEDED" as const, endMs, inDoubt: false, outputText: end.outputText };
    course.move({ fact: "MissionStepSucceeded", step: { name, changes } });
    return;
  }
  const error = { ...end.error, message: boundedMessage(end.error.message), step: name };
  const fact = end.unknown ? "MissionStepUnknown" : "MissionStepFailed";
  const status = end.unknown ? "UNKNOWN" : "FAILED";
  course.move({ fact, step: { name, changes: { status, endMs, error, inDoubt: end.unknown } } });
}

function learnOfUndo(course: Course, { plan }: Step, end: JobEnd): void {
  const { name } = plan;
  const endMs = course.moment.nowMs;
  if (end.kind === "succeeded") {
    course.move({ fact: "MissionStepUndone", step: { name, changes: { status: "UNDONE", endMs } } });
    return;
  }
  const error = { ...end.error, message: boundedMessage(end.error.message), step: name };
  const changes = { status: "UNDO_FAILED" as const, endMs, error };
  course.move({ fact: "MissionStepUndoFailed", step: { name, changes } });
}

/** Carries out what a person asks for, or says why not. */
export function obey(mission: Mission, command: Command, word: Word, moment: Moment): CommandDecision {
  const course = new Course(mission, moment);
  switch (command.kind) {
    case "cancel":
      return cancel(course, word);
    case "retry":
      return retry(course, word);
    case "resolve":
      return resolve(course, command, { ...word, outcome: command.outcome });
  }
}

const refuse = (reason: CommandRefusal): CommandDecision => ({ kind: "refused", reason });
const accept = (course: Course): CommandDecision => ({ kind: "progress", progress: course.progress });

function cancel(course: Course, word: Word): CommandDecision {
  const { mission } = course;
  const { status, cancelRequestMs, direction } = mission;
  // Asked for already, or on its way back already: the wish comes true without more.
  if (status === "CANCELLED" || (hasEnded(status) && cancelRequestMs !== undefined)) return { kind: "same" };
  if (hasEnded(status)) return refuse("MISSION_ALREADY_FINISHED");
  if (hasReachedPivot(mission)) return refuse("MISSION_PAST_PIVOT");
  if (cancelRequestMs !== undefined || direction === "BACK") return { kind: "same" };
  course.move({
    fact: "MissionCancelRequested",
    mission: { cancelRequestMs: course.moment.nowMs },
    word,
  });
  if (status === "PENDING") {
    for (const { plan } of mission.steps) {
      course.move({ fact: "MissionStepSkipped", step: { name: plan.name, changes: { status: "SKIPPED" } } });
    }
    course.move({ fact: "MissionCancelled" });
  } else {
    advance(course);
  }
  return accept(course);
}

/** A pivot that has begun may succeed at any moment: from there it is too late. */
const hasReachedPivot = ({ steps, direction }: Mission): boolean =>
  direction === "FORWARD" &&
  steps.some(({ plan, status }) => plan.pivot && ["RUNNING", "SUCCEEDED", "UNKNOWN"].includes(status));

/** Every step that a mission waits for a person for, the one whose turn it is first. */
function stoppers({ steps, status, direction, ...mission }: Mission): readonly Step[] {
  if (status !== "NEEDS_ATTENTION") return [];
  if (direction === "BACK") {
    const next = nextToUndo(steps);
    return next === undefined ? [] : [next];
  }
  return steps.filter(
    isPastPivot({ ...mission, steps, status, direction }) ? failedPastPivot : isOpenQuestion,
  );
}

function retry(course: Course, word: Word): CommandDecision {
  const { mission } = course;
  const stopped = stoppers(mission);
  if (stopped.length === 0) return refuse("MISSION_NOT_RETRYABLE");
  const status = mission.direction === "BACK" ? ("COMPENSATING" as const) : ("RUNNING" as const);
  course.move({
    fact: "MissionRetried",
    mission: { status, attention: undefined },
    step: { name: stopped[0]?.plan.name ?? "", changes: {} },
    word,
  });
  for (const step of stopped) again(course, step);
  advance(course);
  return accept(course);
}

/** Tries a step or an undo again: under the same job where there is one, so that its key stays the same. */
function again(course: Course, step: Step): void {
  const { plan, jobId, undoJobId, status } = step;
  const undo = undoOf(step);
  const move = (fact: "MissionStepStarted" | "MissionStepUndoStarted", next: "RUNNING" | "UNDOING") =>
    course.move({ fact, step: { name: plan.name, changes: { status: next, ...afresh } } });
  if (status === "UNDO_FAILED" && undoJobId !== "") {
    move("MissionStepUndoStarted", "UNDOING");
    course.send({ kind: "retry", jobId: undoJobId });
  } else if (status === "UNDO_FAILED" && undo !== undefined) {
    beginUndo(course, step, undo);
  } else if (jobId === "") {
    beginStep(course, step);
  } else {
    move("MissionStepStarted", "RUNNING");
    course.send({ kind: "retry", jobId });
  }
}

/** What a person's word makes of a step, where it fits how the step stands. */
function settled(mission: Mission, step: Step, outcome: Outcome): StepStatus | undefined {
  if (step.status === "UNDO_FAILED") return outcome === "UNDONE" ? "UNDONE" : undefined;
  if (outcome === "DONE") return "SUCCEEDED";
  if (outcome === "NOT_DONE") return "FAILED";
  // What is past the pivot cannot be undone, by hand neither.
  return isPastPivot(mission) ? undefined : "UNDONE";
}

function resolve(
  course: Course,
  asked: { readonly step: string; readonly outcome: Outcome },
  word: Word,
): CommandDecision {
  const { mission } = course;
  const step = stoppers(mission).find(({ plan }) => plan.name === asked.step);
  const status = step === undefined ? undefined : settled(mission, step, asked.outcome);
  if (step === undefined || status === undefined) return refuse("MISSION_NOT_RESOLVABLE");
  const back = mission.direction === "BACK";
  const error: MissionError | undefined = status === "FAILED" ? step.error : undefined;
  course.move({
    fact: "MissionResolved",
    mission: { status: back ? "COMPENSATING" : "RUNNING", attention: undefined },
    step: {
      name: asked.step,
      changes: { status, error, endMs: course.moment.nowMs, inDoubt: false, settled: status === "FAILED" },
    },
    word,
  });
  advance(course);
  return accept(course);
}
