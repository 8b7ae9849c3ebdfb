import { VALUE_LEVELS } from "@orrery/mesh/transport/json-value";

/** What an input or output is held to. */
export interface ValueLimits {
  /** Bytes of JSON. */
  readonly limitBytes: number;
  /** Lists and objects inside each other. */
  readonly levels: number;
}

/** What every input and output is held to. */
export const VALUE_LIMITS: ValueLimits = { limitBytes: 192 * 1024, levels: VALUE_LEVELS };
/** The same for the input of a mission's job: what undoes a step is told its input, its output and its key. */
export const STEP_INPUT_LIMITS: ValueLimits = {
  limitBytes: 2 * VALUE_LIMITS.limitBytes + 1024,
  levels: VALUE_LIMITS.levels + 1,
};
