import type { FactName, MissionStatus, StepStatus } from "./mission-state.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What undoes a step. */
export interface UndoPlan {
  readonly task: string;
  /** Absent: the step's own input, output and key. */
  readonly input?: Json;
}

/** One step as it was declared, with the order that holds. */
export interface StepPlan {
  readonly name: string;
  readonly task: string;
  readonly queue: string;
  /** Absent: the mission's input. */
  readonly input?: Json;
  readonly after: readonly string[];
  readonly undo?: UndoPlan;
  readonly undoUnknown?: UndoPlan;
  readonly noUndo: boolean;
  readonly pivot: boolean;
  /** Milliseconds of each attempt; absent: what jobs have unless told. */
  readonly timeoutMs?: number;
  readonly maxAttempts?: number;
}

/** Why a mission or a step did not succeed. `step` is empty where it is the mission's own. */
export interface MissionError {
  readonly type: string;
  readonly message: string;
  readonly step: string;
}

/** One step: its plan, and how far it is. Times are epoch milliseconds of the database's clock. */
export interface Step {
  readonly plan: StepPlan;
  readonly status: StepStatus;
  /** Empty until it begins; the step's idempotency key. */
  readonly jobId: string;
  /** Empty until its undo begins. */
  readonly undoJobId: string;
  /** 1 for the step that began first; 0 until it begins. Undoing goes by it, downwards. */
  readonly startOrder: number;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly error: MissionError | undefined;
  /** Whether it was ever done nobody knows, or knew when its undo began. */
  readonly inDoubt: boolean;
  /** A person's word that it stays as it is: a failure past the pivot that is nobody's concern any more. */
  readonly settled: boolean;
  /** The JSON that its job returned, as text. */
  readonly outputText: string | undefined;
}

/** Whether a mission still goes to its goal, or back. It never turns twice (I16). */
export type Direction = "FORWARD" | "BACK";

/** One mission. */
export interface Mission {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  /** The JSON that its steps can refer to, as text. */
  readonly inputText: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Who launched it: its jobs run in that name. */
  readonly principal: string;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly createMs: number;
  readonly status: MissionStatus;
  /** Grows by one with each transition, and each transition is one event. */
  readonly version: number;
  readonly direction: Direction;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly cancelRequestMs: number | undefined;
  /** What made it turn back, or fail. */
  readonly cause: MissionError | undefined;
  /** What it needs attention for, while it does. */
  readonly attention: MissionError | undefined;
  readonly steps: readonly Step[];
}

/** What a person said with a command. */
export interface Word {
  readonly principal: string;
  readonly note: string;
  readonly outcome?: Outcome;
}

/** How a step stands by a person's word. */
export type Outcome = "DONE" | "NOT_DONE" | "UNDONE";

/** One transition: the mission after it, and the fact that tells of it. */
export interface Transition {
  readonly mission: Mission;
  readonly from: MissionStatus | undefined;
  readonly fact: FactName;
  /** The step that it is about; empty where it is the mission's own. */
  readonly step: string;
  readonly occurredMs: number;
  readonly word: Word | undefined;
}

/** What a job of a mission is for. */
export type JobRole = "RUN" | "UNDO" | "UNDO_UNKNOWN";

/** What is to be done at the jobs service; it is written down before it is done, and done until it is accepted. */
export type Errand =
  | {
      readonly kind: "submit";
      readonly jobId: string;
      readonly step: string;
      readonly role: JobRole;
      readonly task: string;
      readonly queue: string;
      readonly inputText: string | undefined;
      readonly timeoutMs: number | undefined;
      readonly maxAttempts: number | undefined;
    }
  | { readonly kind: "cancel" | "retry"; readonly jobId: string };

/** What a decision comes to: the mission after it, every transition on the way, and what is to be done. */
export interface Progress {
  readonly mission: Mission;
  readonly transitions: readonly Transition[];
  readonly errands: readonly Errand[];
}

/** Whether an undo of a step that succeeded has anything to do. */
export const hasUndo = ({ plan }: Step): boolean => plan.undo !== undefined;

/** Whether there is no way back any more. */
export const isPastPivot = (mission: Mission): boolean =>
  mission.steps.some(({ plan, status }) => plan.pivot && status === "SUCCEEDED");

/** What a reader is told: what needs attention now, or what made it fail. */
export const errorOf = ({ attention, cause }: Mission): MissionError | undefined => attention ?? cause;
