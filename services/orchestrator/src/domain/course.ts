import type { Errand, Mission, MissionError, Progress, Step, Transition, Word } from "./mission.ts";
import { canFollow, type FactName, hasEnded, STATUS_AFTER, stepCanFollow } from "./mission-state.ts";

/** What every decision is given besides the mission. */
export interface Moment {
  /** Epoch milliseconds of the database's clock. */
  readonly nowMs: number;
  /** Makes the id of a job: a UUIDv7. */
  readonly newId: () => string;
}

type MissionChanges = Partial<
  Pick<Mission, "status" | "direction" | "startMs" | "cancelRequestMs" | "cause" | "attention">
>;
type StepChanges = Partial<Omit<Step, "plan">>;

/** A transition to be made: its fact, and what it changes. */
export interface Move {
  readonly fact: FactName;
  readonly mission?: MissionChanges;
  /** The step that it is about, and what changes in it. */
  readonly step?: { readonly name: string; readonly changes: StepChanges };
  readonly word?: Word | undefined;
}

/**
 * A mission on its way through one decision. Every change of it is made by `move`, so that one transition is one
 * version is one fact.
 */
export class Course {
  readonly moment: Moment;
  #mission: Mission;
  readonly #transitions: Transition[] = [];
  readonly #errands: Errand[] = [];

  constructor(mission: Mission, moment: Moment) {
    this.#mission = mission;
    this.moment = moment;
  }

  get mission(): Mission {
    return this.#mission;
  }

  get progress(): Progress {
    return { mission: this.#mission, transitions: this.#transitions, errands: this.#errands };
  }

  /** Makes one transition. @throws Error on one that the tables do not know: that is a defect, not an answer */
  move({ fact, mission: changes = {}, step, word }: Move): void {
    const before = this.#mission;
    const rule = STATUS_AFTER[fact];
    const status = rule === "same" || rule === "resumed" ? (changes.status ?? before.status) : rule;
    if (!canFollow(before.status, status)) {
      throw new Error(`${fact} cannot take ${before.status} to ${status} (mission ${before.id})`);
    }
    const ended = hasEnded(status);
    this.#mission = {
      ...before,
      ...changes,
      status,
      version: before.version + 1,
      endMs: ended ? this.moment.nowMs : before.endMs,
      steps: step === undefined ? before.steps : before.steps.map((one) => changed(one, step)),
    };
    this.#transitions.push({
      mission: this.#mission,
      from: before.status,
      fact,
      step: step?.name ?? "",
      occurredMs: this.moment.nowMs,
      word,
    });
  }

  /** Notes what is to be done at the jobs service once all of this is durable. */
  send(errand: Errand): void {
    this.#errands.push(errand);
  }

  /** Stops the mission until somebody looks after it. */
  stop(attention: MissionError): void {
    this.move({
      fact: "MissionNeedsAttention",
      mission: { attention },
      step: { name: attention.step, changes: {} },
    });
  }
}

function changed(step: Step, { name, changes }: { name: string; changes: StepChanges }): Step {
  if (step.plan.name !== name) return step;
  const status = changes.status ?? step.status;
  if (status !== step.status && !stepCanFollow(step.status, status)) {
    throw new Error(`the step ${name} cannot go from ${step.status} to ${status}`);
  }
  return { ...step, ...changes };
}
