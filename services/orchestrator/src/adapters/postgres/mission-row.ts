import type { Json, Mission, MissionError, Step, StepPlan, UndoPlan } from "../../domain/mission.ts";
import type { MissionStatus, StepStatus } from "../../domain/mission-state.ts";

/** A row of `mission` as the driver gives it: times in epoch milliseconds, JSON as text. */
export interface MissionRow {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly status: MissionStatus;
  readonly version: number;
  readonly direction: Mission["direction"];
  readonly shape: string;
  readonly step_inputs: string | null;
  readonly input: string | null;
  readonly labels: string;
  readonly principal: string;
  readonly correlation_id: string;
  readonly traceparent: string;
  readonly create_time: number;
  readonly start_time: number | null;
  readonly end_time: number | null;
  readonly cancel_request_time: number | null;
  readonly cause: string | null;
  readonly attention: string | null;
}

/** A row of `mission_step`. */
export interface StepRow {
  readonly mission_id: string;
  readonly place: number;
  readonly status: StepStatus;
  readonly job_id: string | null;
  readonly undo_job_id: string | null;
  readonly start_order: number;
  readonly start_time: number | null;
  readonly end_time: number | null;
  readonly error: string | null;
  readonly in_doubt: boolean;
  readonly settled: boolean;
  readonly output: string | null;
}

/** The inputs of one step, as they are kept beside the shape. */
interface StepInputs {
  readonly input?: Json;
  readonly undo?: Json;
  readonly undoUnknown?: Json;
}

/** Takes a plan apart: its shape, which every reader is told, and its inputs, which only a decision needs. */
export function splitPlan(plans: readonly StepPlan[]): { shape: string; inputs: string } {
  const shape = plans.map(({ input: _input, undo, undoUnknown, ...plan }) => ({
    ...plan,
    ...(undo && { undo: { task: undo.task } }),
    ...(undoUnknown && { undoUnknown: { task: undoUnknown.task } }),
  }));
  const inputs = plans.map(
    ({ input, undo, undoUnknown }): StepInputs => ({
      ...(input !== undefined && { input }),
      ...(undo?.input !== undefined && { undo: undo.input }),
      ...(undoUnknown?.input !== undefined && { undoUnknown: undoUnknown.input }),
    }),
  );
  return { shape: JSON.stringify(shape), inputs: JSON.stringify(inputs) };
}

function plansFrom({ shape, step_inputs }: MissionRow): readonly StepPlan[] {
  const plans = JSON.parse(shape) as StepPlan[];
  if (step_inputs === null) return plans;
  const inputs = JSON.parse(step_inputs) as StepInputs[];
  const withInput = (undo: UndoPlan, input: Json | undefined): UndoPlan =>
    input === undefined ? undo : { ...undo, input };
  return plans.map((plan, place) => {
    const { input, undo, undoUnknown } = inputs[place] ?? {};
    return {
      ...plan,
      ...(input !== undefined && { input }),
      ...(plan.undo && { undo: withInput(plan.undo, undo) }),
      ...(plan.undoUnknown && { undoUnknown: withInput(plan.undoUnknown, undoUnknown) }),
    };
  });
}

/** Reads a mission from its row and those of its steps, which come in order. */
export function missionFrom(row: MissionRow, stepRows: readonly StepRow[]): Mission {
  const plans = plansFrom(row);
  return {
    id: row.id,
    project: row.project,
    name: row.name,
    inputText: row.input ?? undefined,
    labels: JSON.parse(row.labels) as Record<string, string>,
    principal: row.principal,
    correlationId: row.correlation_id,
    traceparent: row.traceparent,
    createMs: row.create_time,
    status: row.status,
    version: row.version,
    direction: row.direction,
    startMs: row.start_time ?? undefined,
    endMs: row.end_time ?? undefined,
    cancelRequestMs: row.cancel_request_time ?? undefined,
    cause: errorFrom(row.cause),
    attention: errorFrom(row.attention),
    steps: stepRows.flatMap((step) => {
      const plan = plans[step.place];
      return plan === undefined ? [] : [stepFrom(plan, step)];
    }),
  };
}

const stepFrom = (plan: StepPlan, row: StepRow): Step => ({
  plan,
  status: row.status,
  jobId: row.job_id ?? "",
  undoJobId: row.undo_job_id ?? "",
  startOrder: row.start_order,
  startMs: row.start_time ?? undefined,
  endMs: row.end_time ?? undefined,
  error: errorFrom(row.error),
  inDoubt: row.in_doubt,
  settled: row.settled,
  outputText: row.output ?? undefined,
});

const errorFrom = (text: string | null): MissionError | undefined =>
  text === null ? undefined : (JSON.parse(text) as MissionError);
