import { expect, test } from "@jest/globals";
import { verifyMessages } from "@orrery/contracts/pact/verification";
import { envelopeJson } from "../../../src/adapters/events/event-json.ts";
import { payloadJson, toldFrom } from "../../../src/adapters/events/event-payload.ts";
import { type FactName, STATUS_AFTER } from "../../../src/domain/job-state.ts";
import { aJob, anEndedAttempt, NOW } from "../../job-factory.ts";

const FACTS = Object.keys(STATUS_AFTER) as FactName[];
const UNTRIED: readonly FactName[] = ["JobScheduled", "JobQueued"];
const ENDS = ["JobSucceeded", "JobFailed", "JobCancelled", "JobExpired"] as const;

/** A transition as it is published: what the outbox keeps of it, put together again with the terms of its job. */
function published(fact: FactName, { missionId = "", tries = 1 } = {}): string {
  const wasTried = tries > 0 && !UNTRIED.includes(fact);
  const error = { type: "BROKEN", message: "no", retryable: false };
  const job = aJob(STATUS_AFTER[fact], {
    attempt: wasTried ? tries : 0,
    missionId,
    labels: { "a.b": "c" },
    ...(fact === "JobFailed" && { error }),
  });
  const attempt = wasTried
    ? anEndedAttempt(fact === "JobFailed" ? { status: "FAILED", error } : {})
    : undefined;
  const payload = payloadJson({ job, attempt }, JSON.stringify({ instanceId: "jobs-0", version: "0.1.0" }));
  const kept = {
    id: "01a1fd6c-2a40-7000-8000-00000000000e",
    fact,
    version: job.version,
    occurredMs: NOW,
    payload,
  };
  const outputText = fact === "JobSucceeded" ? '{"n":1}' : undefined;
  return envelopeJson(toldFrom(kept, { terms: job, inputText: undefined, outputText }));
}

test("what jobs tell is what every consumer needs", async () => {
  const endings = ENDS.map((fact) => {
    const tries = fact === "JobSucceeded" || fact === "JobFailed" ? 1 : 0;
    return [`${fact} of a mission`, published(fact, { missionId: "m-1", tries })] as const;
  });
  const all = FACTS.map((fact) => [fact, published(fact)] as const);
  expect(await verifyMessages("jobs", Object.fromEntries([...all, ...endings]))).toEqual({
    observatory: FACTS.length,
    orchestrator: ENDS.length,
  });
});
