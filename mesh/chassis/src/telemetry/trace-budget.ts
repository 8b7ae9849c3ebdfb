import { createRequire } from "node:module";

/**
 * Whether the edge would not keep a trace that began now; `change`: whether the request changes something. Never where
 * no budget was opened. The module is the one that the preload has, whose sampler spends the budget.
 */
export const { wouldDrop } = createRequire(import.meta.url)("./trace-budget.cjs") as {
  wouldDrop(change: boolean): boolean;
};
