import { Fault } from "@orrery/mesh/fault/fault";
import { type IdempotencyKeys, type KeyedRequest, storedAnswer } from "@orrery/mesh/idempotency/keys";
import { type ActRefusal, type AlertCommand, obey } from "../domain/act-decisions.ts";
import type { Alert } from "../domain/alert.ts";
import type { Alerts, Caller, Facts, InTransaction } from "./ports.ts";
import { writeSteps } from "./write-steps.ts";

export interface ActDeps {
  readonly alerts: Alerts;
  readonly facts: Facts;
  readonly keys: IdempotencyKeys;
  readonly inTransaction: InTransaction;
  /** Told after a commit that may have written events. */
  readonly committed: () => void;
  /** Writes an alert as it is answered, to be stored with its key. */
  readonly encodeAlert: (alert: Alert) => Uint8Array;
}

/** A command about one alert. */
export interface ActRequest {
  readonly id: string;
  readonly command: AlertCommand;
  readonly keyed: KeyedRequest | undefined;
}

/**
 * Acknowledges or mutes an alert.
 *
 * @returns the alert after it, or the stored answer to the same request before
 * @throws Fault `NOT_FOUND` · `ALERT_ALREADY_RESOLVED` · `INVALID_REQUEST` · `IDEMPOTENCY_IN_FLIGHT` (retry after
 * 1 s) · `IDEMPOTENCY_KEY_REUSED`
 */
export const actOnAlert =
  (deps: ActDeps) =>
  async (
    { id, command, keyed }: ActRequest,
    caller: Caller,
  ): Promise<{ alert: Alert } | { replay: Uint8Array }> => {
    const { alerts, keys, inTransaction, encodeAlert } = deps;
    const answer = await inTransaction(
      async (tx) => {
        const replay = keyed && storedAnswer(keyed, await keys.claim(tx, keyed));
        if (replay !== undefined) return { replay };
        const { alerts: held, nowMs } = await alerts.lock(tx, id);
        const [found] = held;
        const decision = obey(found, command, nowMs);
        if (decision.kind === "refused") throw refusal(decision.reason);
        const alert = decision.kind === "step" ? decision.step.alert : found;
        if (alert === undefined) throw refusal("NOT_FOUND");
        if (decision.kind === "step") {
          const { correlationId, traceparent } = caller;
          await writeSteps(deps, tx, [{ ...decision.step, cause: { correlationId, traceparent } }]);
          await alerts.recordAct(tx, { alert, command, caller, atMs: nowMs });
        }
        if (keyed !== undefined) await keys.store(tx, { ...keyed, response: encodeAlert(alert) });
        return { alert };
      },
      { projects: [caller.project] },
    );
    deps.committed();
    return answer;
  };

const UNTIL: Readonly<Record<"UNTIL_PAST" | "UNTIL_TOO_FAR", string>> = {
  UNTIL_PAST: "must be later than now",
  UNTIL_TOO_FAR: "must be at most 30 days ahead",
};

function refusal(reason: ActRefusal): Fault {
  switch (reason) {
    case "NOT_FOUND":
      return new Fault(reason, { detail: "there is no alert with this id" });
    case "ALERT_ALREADY_RESOLVED":
      return new Fault(reason, { detail: "what the alert was about is over" });
    default: {
      const fieldViolations = [{ field: "untilTime", description: UNTIL[reason] }];
      return new Fault("INVALID_REQUEST", { detail: `untilTime ${UNTIL[reason]}`, fieldViolations });
    }
  }
}
