import type { Transaction } from "@orrery/mesh/postgres/pool";
import type { Transition } from "../domain/alert.ts";
import type { Alerts, Facts } from "./ports.ts";

/** Saves transitions and their events: a fact commits with its cause. */
export async function writeSteps(
  { alerts, facts }: { readonly alerts: Alerts; readonly facts: Facts },
  tx: Transaction,
  steps: readonly Transition[],
): Promise<void> {
  if (steps.length === 0) return;
  await alerts.saveAll(tx, steps);
  facts.appendAll(tx, steps);
}
