// Where a mission goes when something has happened.
//
// I16: a mission ends with every step succeeded, or with each done step undone once in reverse order of their
// starts, or it waits for a person. No forward step begins after it has turned back.
import type { Course } from "./course.ts";
import {
  hasUndo,
  isPastPivot,
  type Mission,
  type MissionError,
  type Step,
  type UndoPlan,
} from "./mission.ts";
import type { StepStatus } from "./mission-state.ts";
import { beginStep, beginUndo } from "./step-job.ts";

/** Takes a mission as far as it goes by itself. One that needs attention stays where it is. */
export function advance(course: Course): void {
  // Each round makes at least one transition, or ends; a step that cannot begin fails at once and asks for another.
  for (;;) {
    const { version, status, direction } = course.mission;
    if (status !== "RUNNING" && status !== "COMPENSATING") return;
    if (direction === "BACK") goBack(course);
    else if (isPastPivot(course.mission)) goOn(course);
    else goForward(course);
    if (course.mission.version === version) return;
  }
}

/** Before the pivot: on, as long as nothing failed. */
function goForward(course: Course): void {
  const { steps, cancelRequestMs } = course.mission;
  const cause = causeOf(course.mission);
  const unknown = steps.find(({ status }) => status === "UNKNOWN");
  const ready = steps.find((step) => step.status === "PENDING" && isReady(step, steps));
  if (cancelRequestMs !== undefined || cause !== undefined) turnBack(course, cause);
  else if (unknown !== undefined) course.stop(unknownError(unknown));
  else if (steps.every(({ status }) => status === "SUCCEEDED")) course.move({ fact: "MissionSucceeded" });
  else if (ready !== undefined) beginStep(course, ready);
}

/** Past the pivot: only on. What fails waits for a person; what a person gave up on costs what depends on it. */
function goOn(course: Course): void {
  const { steps } = course.mission;
  const pending = steps.filter(({ status }) => status === "PENDING");
  const failed = steps.find(failedPastPivot);
  const ready = pending.find((step) => isReady(step, steps));
  const barred = pending.find((step) => isBarred(step, steps));
  if (failed !== undefined) course.stop(pastPivotError(failed));
  else if (ready !== undefined) beginStep(course, ready);
  else if (barred !== undefined) skip(course, barred);
  else if (!steps.some(({ status }) => status === "RUNNING")) finishForward(course);
}

function finishForward(course: Course): void {
  const failed = course.mission.steps.find(({ status }) => status === "FAILED");
  if (failed === undefined) course.move({ fact: "MissionSucceeded" });
  else course.move({ fact: "MissionFailed", mission: { cause: failed.error } });
}

/** From here on no forward step begins. Those under way are cancelled, and their ends awaited. */
function turnBack(course: Course, cause: MissionError | undefined): void {
  const { steps } = course.mission;
  const running = steps.filter(({ status }) => status === "RUNNING");
  // A step that a person undid is a way back, too.
  const settled = running.length === 0 && !steps.some((step) => needsUndo(step) || step.status === "UNDONE");
  if (!settled) {
    course.move({ fact: "MissionCompensationStarted", mission: { direction: "BACK", cause } });
    for (const { jobId } of running) course.send({ kind: "cancel", jobId });
  }
  for (const step of steps) if (step.status === "PENDING") skip(course, step);
  if (settled) finishBack(course, cause);
}

/** Undoes, one after the other, the step that began last first. */
function goBack(course: Course): void {
  const { steps, cause } = course.mission;
  if (steps.some(({ status }) => status === "RUNNING" || status === "UNDOING")) return;
  const next = nextToUndo(steps);
  const undo = next === undefined ? undefined : undoOf(next);
  if (next === undefined) finishBack(course, cause);
  else if (next.status === "UNDO_FAILED") course.stop(undoError(next));
  else if (undo === undefined) course.stop(unknownError(next));
  else beginUndo(course, next, undo);
}

function finishBack(course: Course, cause: MissionError | undefined): void {
  const { steps, cancelRequestMs } = course.mission;
  const undone = steps.some(({ status }) => status === "UNDONE");
  const unhurt = cancelRequestMs === undefined ? "MissionFailed" : "MissionCancelled";
  course.move({ fact: undone ? "MissionCompensated" : unhurt, mission: { cause } });
}

/** What undoes a step as it stands; undefined where only a person can say. */
export const undoOf = ({ plan, inDoubt }: Step): UndoPlan | undefined =>
  inDoubt ? plan.undoUnknown : plan.undo;

/** The step whose turn it is on the way back; undefined where nothing is left to undo. */
export function nextToUndo(steps: readonly Step[]): Step | undefined {
  return steps
    .filter(needsUndo)
    .reduce<Step | undefined>(
      (last, step) => (last && last.startOrder > step.startOrder ? last : step),
      undefined,
    );
}

/** Whether a step cannot stay as it is once the mission has turned back. */
const needsUndo = (step: Step): boolean =>
  step.status === "UNKNOWN" ||
  step.status === "UNDO_FAILED" ||
  step.status === "UNDOING" ||
  (step.status === "SUCCEEDED" && hasUndo(step));

/** Whether a step stops a mission that has passed its pivot. */
export const failedPastPivot = ({ status, settled }: Step): boolean =>
  status === "UNKNOWN" || (status === "FAILED" && !settled);

/** Whether nobody but a person can tell how a step stands. */
export const isOpenQuestion = ({ status, plan }: Step): boolean =>
  status === "UNKNOWN" && plan.undoUnknown === undefined;

/**
 * Why a mission turns back before its pivot: the first of what failed. A step that is unknown and can be settled by a
 * job counts; one that cannot stops the mission instead.
 */
function causeOf({ steps }: Mission): MissionError | undefined {
  const failed = steps.filter(
    (step) =>
      step.status === "FAILED" ||
      step.status === "UNDONE" ||
      (step.status === "UNKNOWN" && !isOpenQuestion(step)),
  );
  const [first] = failed.sort((a, b) => (a.endMs ?? 0) - (b.endMs ?? 0));
  if (first === undefined) return undefined;
  return first.status === "UNKNOWN" ? unknownError(first) : (first.error ?? unknownError(first));
}

function pastPivotError({ plan, error }: Step): MissionError {
  const message = `the step failed past the pivot: ${error?.message ?? "why is not known"}`;
  return { type: "FAILED_PAST_PIVOT", message, step: plan.name };
}

function undoError({ plan, error }: Step): MissionError {
  const message = `the undo failed for good: ${error?.message ?? "why is not known"}`;
  return { type: "UNDO_FAILED", message, step: plan.name };
}

function unknownError({ plan, error }: Step): MissionError {
  const why = error === undefined ? "" : `: ${error.message}`;
  const message = `whether the step was done is not known${why}`;
  return { type: "STEP_UNKNOWN", message, step: plan.name };
}

function skip(course: Course, { plan }: Step): void {
  course.move({ fact: "MissionStepSkipped", step: { name: plan.name, changes: { status: "SKIPPED" } } });
}

const statusOf = (steps: readonly Step[], name: string): StepStatus | undefined =>
  steps.find(({ plan }) => plan.name === name)?.status;

const isReady = ({ plan }: Step, steps: readonly Step[]): boolean =>
  plan.after.every((before) => statusOf(steps, before) === "SUCCEEDED");

const isBarred = ({ plan }: Step, steps: readonly Step[]): boolean =>
  plan.after.some((before) => ["FAILED", "SKIPPED"].includes(statusOf(steps, before) ?? ""));
