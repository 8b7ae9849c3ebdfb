// What the jobs of a step are given.
import type { Course } from "./course.ts";
import type { JobRole, Json, Mission, MissionError, Step, UndoPlan } from "./mission.ts";
import { type Resolved, resolve, type Sources } from "./references.ts";

/** How large the input of a step's job may be, in bytes of JSON. */
export const INPUT_LIMIT_BYTES = 192 * 1024;
/** How many lists and objects may be inside each other in it; a job that undoes is told it inside one more. */
const INPUT_LEVELS = 32;
/** How large the input of a job that undoes may be: an input and an output, each as large as it may be, and the key. */
const UNDO_INPUT_LIMIT_BYTES = 2 * INPUT_LIMIT_BYTES + 1024;

/**
 * Begins a step: its job is decided on here and nowhere else. An input that refers to what is not there fails the
 * step before it begins.
 */
export function beginStep(course: Course, step: Step): void {
  const { plan } = step;
  const resolved = inputOf(course.mission, step);
  const inputText = textOf(resolved);
  const refusal = refusalOf(resolved, plan.name) ?? limitRefusal(resolved, inputText, plan.name);
  if (refusal !== undefined) {
    const changes = { status: "FAILED" as const, endMs: course.moment.nowMs, error: refusal };
    course.move({ fact: "MissionStepFailed", step: { name: plan.name, changes } });
    return;
  }
  const jobId = course.moment.newId();
  const startOrder = 1 + Math.max(...course.mission.steps.map((one) => one.startOrder));
  const changes = { status: "RUNNING" as const, jobId, startOrder, startMs: course.moment.nowMs };
  course.move({ fact: "MissionStepStarted", step: { name: plan.name, changes: { ...changes, ...afresh } } });
  const { task, queue, timeoutMs, maxAttempts } = plan;
  course.send({
    kind: "submit",
    role: "RUN",
    step: plan.name,
    jobId,
    task,
    queue,
    inputText,
    timeoutMs,
    maxAttempts,
  });
}

/** Begins what undoes a step: its undo where it is done, its undoUnknown where nobody knows. */
export function beginUndo(course: Course, step: Step, undo: UndoPlan): void {
  const { plan } = step;
  const role: JobRole = step.inDoubt ? "UNDO_UNKNOWN" : "UNDO";
  const resolved = undoInputOf(course.mission, step, undo);
  const refusal = refusalOf(resolved, plan.name);
  if (refusal !== undefined) {
    const changes = { status: "UNDO_FAILED" as const, endMs: course.moment.nowMs, error: refusal };
    course.move({ fact: "MissionStepUndoFailed", step: { name: plan.name, changes } });
    return;
  }
  const undoJobId = course.moment.newId();
  const changes = { status: "UNDOING" as const, undoJobId, ...afresh };
  course.move({ fact: "MissionStepUndoStarted", step: { name: plan.name, changes } });
  course.send({
    kind: "submit",
    role,
    step: plan.name,
    jobId: undoJobId,
    task: undo.task,
    queue: plan.queue,
    inputText: textOf(resolved),
    timeoutMs: undefined,
    maxAttempts: undefined,
  });
}

/** What a step that begins, or begins again, no longer has. */
export const afresh = { endMs: undefined, error: undefined } as const;

/** `none`: the mission was given no input, and neither is the job. */
type Input = Resolved | { readonly none: true };

function inputOf(mission: Mission, { plan }: Step): Input {
  if (plan.input !== undefined) return resolve(plan.input, sourcesOf(mission), INPUT_LIMIT_BYTES);
  return mission.inputText === undefined ? { none: true } : { value: jsonOf(mission.inputText) };
}

function undoInputOf(mission: Mission, step: Step, undo: UndoPlan): Input {
  if (undo.input !== undefined) return resolve(undo.input, sourcesOf(mission), UNDO_INPUT_LIMIT_BYTES);
  // The step has begun, so its references stood for something, and do so still.
  const input = inputOf(mission, step);
  const known: Record<string, Json> = { idempotencyKey: step.jobId };
  if ("value" in input) known.input = input.value;
  if (!step.inDoubt && step.outputText !== undefined) known.output = jsonOf(step.outputText);
  return { value: known };
}

function refusalOf(resolved: Input, step: string): MissionError | undefined {
  if ("missing" in resolved) {
    return { type: "REFERENCE_MISSING", message: `there is no value at ${resolved.missing}`, step };
  }
  if (!("tooLarge" in resolved)) return undefined;
  const message = "its references stand for more JSON than an input may have";
  return { type: "JOB_REFUSED", message, step };
}

/** The jobs service takes as much as an undo is told from a mission; a step is held to what any job is held to. */
function limitRefusal(
  resolved: Input,
  inputText: string | undefined,
  step: string,
): MissionError | undefined {
  const bytes = inputText === undefined ? 0 : Buffer.byteLength(inputText);
  if (bytes > INPUT_LIMIT_BYTES) {
    const message = `its input is ${bytes} bytes of JSON; at most ${INPUT_LIMIT_BYTES} are taken`;
    return { type: "JOB_REFUSED", message, step };
  }
  if (!("value" in resolved) || fits(resolved.value, INPUT_LEVELS)) return undefined;
  return { type: "JOB_REFUSED", message: `its input is deeper than ${INPUT_LEVELS} levels`, step };
}

const fits = (json: Json, levels: number): boolean =>
  json === null ||
  typeof json !== "object" ||
  (levels > 0 && Object.values(json).every((inside: Json) => fits(inside, levels - 1)));

function sourcesOf(mission: Mission): Sources {
  const named = (name: string): Step | undefined => mission.steps.find(({ plan }) => plan.name === name);
  const outputs = new Map<string, Json>();
  return {
    input: () => (mission.inputText === undefined ? undefined : jsonOf(mission.inputText)),
    output: (name) => {
      const text = named(name)?.outputText;
      if (text === undefined) return undefined;
      const known = outputs.get(name) ?? jsonOf(text);
      outputs.set(name, known);
      return known;
    },
    key: (name) => named(name)?.jobId || undefined,
  };
}

const jsonOf = (text: string): Json => JSON.parse(text) as Json;
const textOf = (input: Input): string | undefined =>
  "value" in input ? JSON.stringify(input.value) : undefined;
