/** How large an input or output may be, in bytes of JSON. */
export const VALUE_LIMIT_BYTES = 192 * 1024;
/** How large the input of a mission's job may be: what undoes a step is told its input, its output and its key. */
export const STEP_INPUT_LIMIT_BYTES = 2 * VALUE_LIMIT_BYTES + 1024;
