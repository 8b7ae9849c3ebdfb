import type { Moment } from "../src/domain/course.ts";
import {
  begin,
  type Command,
  type JobEnd,
  type Launch,
  launch,
  learn,
  obey,
} from "../src/domain/decisions.ts";
import type { Errand, Mission, Progress, StepPlan, Transition } from "../src/domain/mission.ts";

/** When everything in these tests happens, unless said. */
export const NOW = Date.UTC(2026, 10, 21, 9, 0, 0);
export const MISSION_ID = "01a1fd6c-2a40-7000-8000-0000000000aa";
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** A step that can be undone, unless said. */
export const aStep = (name: string, changes: Partial<StepPlan> = {}): StepPlan => ({
  name,
  task: `do.${name}`,
  queue: "default",
  after: [],
  noUndo: false,
  pivot: false,
  ...(changes.noUndo ? {} : { undo: { task: `undo.${name}` } }),
  ...changes,
});

export const aLaunch = (steps: readonly StepPlan[], changes: Partial<Launch> = {}): Launch => ({
  project: "demo",
  name: "order",
  inputText: '{"a":1}',
  labels: {},
  principal: "ann",
  correlationId: "correlation-1",
  traceparent: TRACEPARENT,
  steps,
  ...changes,
});

export const succeeded = (output?: unknown): JobEnd => ({
  kind: "succeeded",
  outputText: output === undefined ? undefined : JSON.stringify(output),
});
export const failed = (type = "BROKEN"): JobEnd => ({
  kind: "failed",
  unknown: false,
  error: { type, message: `${type} it was` },
});
export const lost = (): JobEnd => ({
  kind: "failed",
  unknown: true,
  error: { type: "LEASE_EXPIRED", message: "nobody knows" },
});

/** One mission that is led through its life by hand, and everything that it did. */
export class Life {
  mission: Mission;
  readonly transitions: Transition[] = [];
  readonly errands: Errand[] = [];
  #ids = 0;

  constructor(steps: readonly StepPlan[], changes: Partial<Launch> = {}) {
    this.mission = this.#after(launch(aLaunch(steps, changes), MISSION_ID, NOW));
  }

  /** A mission that has begun. */
  static begun(steps: readonly StepPlan[], changes: Partial<Launch> = {}): Life {
    const life = new Life(steps, changes);
    life.begin();
    return life;
  }

  begin(): this {
    this.#after(begin(this.mission, this.#moment()));
    return this;
  }

  /** Tells how the job of a step, or the one that undoes it, ended. */
  ends(name: string, end: JobEnd): this {
    const { status, jobId, undoJobId } = this.step(name);
    this.#after(
      learn(this.mission, { jobId: status === "UNDOING" ? undoJobId : jobId, end }, this.#moment()),
    );
    return this;
  }

  /** Tells how a job ended by its id. */
  job(jobId: string, end: JobEnd): this {
    this.#after(learn(this.mission, { jobId, end }, this.#moment()));
    return this;
  }

  /** Gives a command. @returns the reason of its refusal, "same", or undefined where it was carried out */
  asks(command: Command, note = "because"): string | undefined {
    const decision = obey(this.mission, command, { principal: "ann", note }, this.#moment());
    if (decision.kind === "refused") return decision.reason;
    if (decision.kind === "same") return "same";
    this.#after(decision.progress);
    return undefined;
  }

  step(name: string) {
    const step = this.mission.steps.find(({ plan }) => plan.name === name);
    if (step === undefined) throw new Error(`no step ${name}`);
    return step;
  }

  /** As in `a:SUCCEEDED b:RUNNING`. */
  get statuses(): string {
    return this.mission.steps.map(({ plan, status }) => `${plan.name}:${status}`).join(" ");
  }

  /** The facts so far without the word Mission, with their steps, as in `StepStarted a`. */
  get facts(): string[] {
    return this.transitions.map(({ fact, step }) => `${fact.slice("Mission".length)} ${step}`.trim());
  }

  /** The tasks that were submitted, in order. */
  get tasks(): string[] {
    return this.errands.flatMap((errand) => (errand.kind === "submit" ? [errand.task] : []));
  }

  #moment(): Moment {
    return {
      nowMs: NOW + this.transitions.length,
      newId: () => `01a1fd6c-2a40-7000-8000-${String(++this.#ids).padStart(12, "0")}`,
    };
  }

  #after({ mission, transitions, errands }: Progress): Mission {
    this.mission = mission;
    this.transitions.push(...transitions);
    this.errands.push(...errands);
    return mission;
  }
}
