import { jsonSequence } from "@orrery/mesh/postgres/json-sequence";
import type { Pool, Statement, Transaction } from "@orrery/mesh/postgres/pool";
import type { Audit, Missions } from "../../application/ports.ts";
import type { Errand, Mission, MissionError, Progress, Step } from "../../domain/mission.ts";
import { hasEnded, type MissionStatus } from "../../domain/mission-state.ts";
import { CANCEL_STEP_JOBS, INSERT_STEP_JOBS, RETRY_STEP_JOBS } from "./errand-statements.ts";
import { type MissionRow, missionFrom, type StepRow, splitPlan } from "./mission-row.ts";
import {
  APPEND_AUDIT,
  COUNT_OPEN,
  DATABASE_NOW,
  INSERT_MISSION,
  INSERT_STEPS,
  LIST_MISSIONS,
  LIST_MISSIONS_BY_STATUS,
  LIST_STEPS,
  LOCK_FREE_MISSIONS,
  LOCK_MISSIONS,
  PENDING_MISSIONS,
  READ_MISSION,
  READ_STEPS,
  SAVE_MISSIONS,
  SAVE_STEPS,
  VERSIONS,
} from "./mission-statements.ts";

/** Above every UUID: where a list begins. */
const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

type LockedRow = MissionRow & { readonly now_ms: number };
type Change = { readonly before: Mission; readonly progress: Progress };

/** The store of missions and steps in PostgreSQL. What no transaction is needed for goes through the pool. */
export function createMissionStore(pool: Pool): Missions {
  return {
    insert: insertMission,
    lockAll: (tx, ids) => lock(tx, LOCK_MISSIONS, ids),
    lockFree: (tx, ids) => lock(tx, LOCK_FREE_MISSIONS, ids),
    saveAll,
    read: async (project, id) => {
      const rows = await pool.query<MissionRow>(READ_MISSION, [id, project]);
      const [mission] = withSteps(rows, await pool.query<StepRow>(READ_STEPS, [rows.map((row) => row.id)]));
      return mission;
    },
    page: async ({ project, status, beforeId = LAST_ID, limit }) => {
      const values = [project, beforeId, limit];
      const rows =
        status === undefined
          ? await pool.query<MissionRow>(LIST_MISSIONS, values)
          : await pool.query<MissionRow>(LIST_MISSIONS_BY_STATUS, [...values, status]);
      return withSteps(rows, await pool.query<StepRow>(LIST_STEPS, [rows.map((row) => row.id)]));
    },
    pending: async (limit) => {
      const rows = await pool.query<{ id: string; value_bytes: number }>(PENDING_MISSIONS, [limit]);
      return rows.map(({ id, value_bytes }) => ({ missionId: id, valueBytes: value_bytes }));
    },
    countOpen: async () => {
      const rows = await pool.query<{ status: string; missions: number }>(COUNT_OPEN, []);
      return new Map(rows.map(({ status, missions }) => [status, missions]));
    },
    versions: async (ids) => {
      type Row = { id: string; version: number; status: MissionStatus };
      const rows = await pool.query<Row>(VERSIONS, [ids]);
      return new Map(rows.map(({ id, version, status }) => [id, { version, ended: hasEnded(status) }]));
    },
  };
}

/** The record of what people did. */
export function createAudit(): Audit {
  return {
    append: async (tx, { action, transition: { mission, step, word, occurredMs } }) => {
      const { principal = "", note = "", outcome = "" } = word ?? {};
      const { id, version, project } = mission;
      const values = [id, version, project, action, step, outcome, principal, note, occurredMs];
      await tx.query(APPEND_AUDIT, values);
    },
  };
}

/** Reads the database's clock, in epoch milliseconds. */
export async function databaseNow(tx: Pick<Transaction, "query">): Promise<number> {
  const [row] = await tx.query<{ now_ms: number }>(DATABASE_NOW, []);
  if (row === undefined) throw new Error("the database gave no time");
  return row.now_ms;
}

async function insertMission(tx: Transaction, mission: Mission): Promise<void> {
  const plans = mission.steps.map(({ plan }) => plan);
  const { shape, inputs } = splitPlan(plans);
  const bytes = shape.length + inputs.length + (mission.inputText?.length ?? 0);
  await tx.query(INSERT_MISSION, [
    mission.id,
    mission.project,
    mission.name,
    shape,
    inputs,
    mission.inputText ?? null,
    JSON.stringify(mission.labels),
    mission.principal,
    mission.correlationId,
    mission.traceparent,
    mission.createMs,
    bytes,
  ]);
  await tx.query(INSERT_STEPS, [mission.id, mission.project, plans.map(({ name }) => name)]);
}

async function lock(
  tx: Transaction,
  statement: Statement,
  ids: readonly string[],
): Promise<{ held: Map<string, Mission>; nowMs: number }> {
  const rows = await tx.query<LockedRow>(statement, [[...new Set(ids)].sort()]);
  // A statement of its own: one that began before the locks were had would read the steps as they were then.
  const steps = await tx.query<StepRow>(READ_STEPS, [rows.map(({ id }) => id)]);
  const missions = withSteps(rows, steps);
  return {
    held: new Map(missions.map((mission) => [mission.id, mission])),
    nowMs: rows.at(-1)?.now_ms ?? 0,
  };
}

function withSteps(rows: readonly MissionRow[], steps: readonly StepRow[]): readonly Mission[] {
  const byMission = Map.groupBy(steps, ({ mission_id }) => mission_id);
  return rows.map((row) => missionFrom(row, byMission.get(row.id) ?? []));
}

async function saveAll(tx: Transaction, changes: readonly Change[]): Promise<void> {
  const saved = await tx.query(SAVE_MISSIONS, missionColumns(changes));
  // Under its lock a mission cannot have moved on; if one did, nothing of this transaction may stand.
  if (saved.length !== changes.length) {
    throw new Error(`${changes.length - saved.length} missions were not at the version before`);
  }
  const steps = changes.flatMap(changedSteps);
  if (steps.length > 0) await tx.query(SAVE_STEPS, stepColumns(steps));
  const errands = changes.flatMap(({ progress: { mission, errands: sent } }) =>
    sent.map((errand) => ({ mission, errand })),
  );
  const submits = errands.flatMap(({ mission, errand }) =>
    errand.kind === "submit" ? [{ mission, errand }] : [],
  );
  if (submits.length > 0) await tx.query(INSERT_STEP_JOBS, submitColumns(submits));
  const named = (kind: "cancel" | "retry"): string[] =>
    errands.flatMap(({ errand }) => (errand.kind === kind ? [errand.jobId] : []));
  const [cancels, retries] = [named("cancel"), named("retry")];
  if (cancels.length > 0) await tx.query(CANCEL_STEP_JOBS, [cancels]);
  if (retries.length > 0) await tx.query(RETRY_STEP_JOBS, [retries]);
}

function missionColumns(changes: readonly Change[]): unknown[] {
  const after = changes.map(({ progress }) => progress.mission);
  return [
    after.map(({ id }) => id),
    changes.map(({ before }) => before.version),
    after.map(({ status }) => status),
    after.map(({ version }) => version),
    after.map(({ direction }) => direction),
    after.map(({ startMs }) => startMs ?? null),
    after.map(({ endMs }) => endMs ?? null),
    after.map(({ cancelRequestMs }) => cancelRequestMs ?? null),
    jsonSequence(after.map(({ cause }) => errorText(cause))),
    jsonSequence(after.map(({ attention }) => errorText(attention))),
    changes.map((change) =>
      changedSteps(change).reduce((sum, { newOutput }) => sum + (newOutput?.length ?? 0), 0),
    ),
  ];
}

interface ChangedStep {
  readonly missionId: string;
  readonly place: number;
  readonly step: Step;
  /** Set where the step has an output that it did not have before. */
  readonly newOutput: string | undefined;
}

function changedSteps({ before, progress: { mission } }: Change): readonly ChangedStep[] {
  return mission.steps.flatMap((step, place) => {
    const earlier = before.steps[place];
    if (step === earlier) return [];
    const newOutput = step.outputText === earlier?.outputText ? undefined : step.outputText;
    return [{ missionId: mission.id, place, step, newOutput }];
  });
}

const stepColumns = (changed: readonly ChangedStep[]): unknown[] => [
  changed.map(({ missionId }) => missionId),
  changed.map(({ place }) => place),
  changed.map(({ step }) => step.status),
  changed.map(({ step }) => step.jobId || null),
  changed.map(({ step }) => step.undoJobId || null),
  changed.map(({ step }) => step.startOrder),
  changed.map(({ step }) => step.startMs ?? null),
  changed.map(({ step }) => step.endMs ?? null),
  jsonSequence(changed.map(({ step }) => errorText(step.error))),
  changed.map(({ step }) => step.inDoubt),
  changed.map(({ step }) => step.settled),
  jsonSequence(changed.map(({ newOutput }) => newOutput)),
];

function submitColumns(
  submits: readonly { mission: Mission; errand: Extract<Errand, { kind: "submit" }> }[],
): unknown[] {
  const errands = submits.map(({ errand }) => errand);
  return [
    errands.map(({ jobId }) => jobId),
    submits.map(({ mission }) => mission.id),
    submits.map(({ mission }) => mission.project),
    errands.map(({ step }) => step),
    errands.map(({ role }) => role),
    errands.map(({ task }) => task),
    errands.map(({ queue }) => queue),
    jsonSequence(errands.map(({ inputText }) => inputText)),
    errands.map(({ timeoutMs }) => timeoutMs ?? null),
    errands.map(({ maxAttempts }) => maxAttempts ?? null),
  ];
}

const errorText = (error: MissionError | undefined): string | undefined =>
  error === undefined ? undefined : JSON.stringify(error);
