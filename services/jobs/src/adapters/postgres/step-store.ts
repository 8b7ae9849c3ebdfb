import type { StepIds } from "../../application/ports.ts";
import { HOLD_IDS } from "./step-statements.ts";

/** Ids of steps' jobs, held by advisory locks: a row that is not there yet cannot be locked. */
export const createStepIds = (): StepIds => ({
  hold: async (tx, ids) => {
    await tx.query(HOLD_IDS, [[...new Set(ids)].sort()]);
  },
});
