// Every limit of the process but those of a step's input, which are in domain/step-job.ts; those of the contract are in
// proto/orrery/orchestrator/v1.
import { INPUT_LIMIT_BYTES } from "../domain/step-job.ts";

/** How large the input of a mission, or of one of its steps, may be, in bytes of JSON. */
export const INPUT_BYTES = INPUT_LIMIT_BYTES;

/** How large the whole shape of a mission may be, in bytes of JSON. */
export const PLAN_BYTES = 256 * 1024;

/** Missions of one transaction. */
export const MISSIONS_AT_ONCE = 100;

/** What the missions of one transaction may hold in inputs and outputs, in bytes, the first one aside. */
export const BYTES_AT_ONCE = 16 * 1024 * 1024;

/** Errands that one lane takes in hand at a time. */
export const ERRANDS_AT_ONCE = 100;

/** What the inputs of one call to the jobs service may come to, in bytes as they are sent, the first one aside. */
export const CALL_BYTES = 8 * 1024 * 1024;

/** Lanes that run errands at the same time in one process. */
export const LANES = 2;

/** How long an errand is somebody's: whoever took it and died loses it after this, in milliseconds. */
export const HOLD_MS = 5_000;

/** How soon an errand that failed is tried again, in milliseconds. */
export const TRY_AGAIN_MS = 1_000;

/** How long after its last sign a job is asked about, in milliseconds. */
export const SILENCE_MS = 30_000;

/** How often a process looks for errands that nobody told it of, in milliseconds. */
export const POLL_MS = 500;

/** Calls about single jobs under way at the same time in one lane. */
export const CALLS_AT_ONCE = 8;

/** How long a call to the jobs service may take, in milliseconds. */
export const CALL_MS = 2_000;

/** How many missions one page has unless said, and at most. */
export const PAGE = { usual: 50, most: 100 } as const;
