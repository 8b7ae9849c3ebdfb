import { afterAll, describe, expect, test } from "@jest/globals";
import { version } from "@orrery/contracts/pact/pact-matchers";
import { PactRecorder } from "@orrery/contracts/pact/pact-recorder";
import { verifyMessages } from "@orrery/contracts/pact/verification";
import type { Transaction } from "@orrery/mesh/postgres/pool";
import { systemClock } from "@orrery/mesh/time/clock";
import { MatchersV3 } from "@pact-foundation/pact";
import { END_FACTS, readEnd } from "../../../src/adapters/events/job-end.ts";
import { createMissionFacts } from "../../../src/adapters/events/mission-facts.ts";
import { missionToJson } from "../../../src/adapters/rpc/mission-wire.ts";
import { type FactName, STATUS_AFTER } from "../../../src/domain/mission-state.ts";
import { aStep, failed, Life, lost, succeeded } from "../../mission-factory.ts";

const { integer, string, uuid } = MatchersV3;
const ID = "01a1fd6c-2a40-7000-8000-00000000000b";

/** What is read of the event that ended a job of a mission. */
const ending = (fact: (typeof END_FACTS)[number]): object => {
  const status = fact.slice("Job".length).toUpperCase();
  const common = { id: uuid(ID), missionId: string("m-1"), status, version: integer(3), attempt: integer(1) };
  const error = { type: string("BROKEN"), message: string("no") };
  const payload = {
    JobSucceeded: { job: { ...common, output: { n: integer(1) } } },
    JobFailed: { job: { ...common, error }, attempt: { status: string("FAILED"), error } },
    JobCancelled: { job: { ...common, attempt: 0 } },
    JobExpired: { job: { ...common, attempt: 0 } },
  }[fact];
  return { contractVersion: version(), version: version(), payload };
};

describe("what a mission needs of the events that end its jobs", () => {
  const recorder = new PactRecorder("orchestrator", "jobs");
  afterAll(() => recorder[Symbol.dispose]());

  test.each(END_FACTS)("is enough of %s to go on", async (fact) => {
    await recorder.pact
      .addAsynchronousInteraction()
      .expectsToReceive(`${fact} of a mission`, (message) => {
        message.withJSONContent(ending(fact));
      })
      .executeTest((message) => {
        const kind = fact === "JobSucceeded" ? "succeeded" : "failed";
        const end: unknown = expect.objectContaining({ kind });
        expect(readEnd(JSON.stringify(message.contents.content))).toEqual({
          kind: "end",
          known: { jobId: ID, version: 3, end },
        });
        return Promise.resolve();
      });
  });

  test("is what the jobs service is held to", () => {
    expect(() => recorder.settle()).not.toThrow();
  });
});

/** Lives that come by every fact there is. */
function* lives(): Generator<Life> {
  const steps = [aStep("a"), aStep("b", { after: ["a"] })];
  yield Life.begun(steps).ends("a", succeeded()).ends("b", succeeded());
  yield Life.begun(steps).ends("a", succeeded()).ends("b", failed()).ends("a", succeeded());
  yield Life.begun(steps).ends("a", failed());
  yield Life.begun(steps).ends("a", lost());
  const undone = Life.begun(steps).ends("a", succeeded()).ends("b", failed()).ends("a", failed());
  undone.asks({ kind: "retry" });
  undone.ends("a", failed());
  undone.asks({ kind: "resolve", step: "a", outcome: "UNDONE" });
  yield undone;
  const cancelled = Life.begun(steps);
  cancelled.asks({ kind: "cancel" });
  yield cancelled.ends("a", failed("CANCELLED"));
}

/** What goes into the outbox of transitions, by the name of the event; the first of each. */
function told(): ReadonlyMap<FactName, string> {
  const transitions = [...lives()].flatMap((life) => life.transitions);
  const written: string[] = [];
  const outbox = {
    post: (_statement: unknown, values: readonly unknown[]) => {
      written.push(...String(values[6]).split("\u001e"));
    },
  } as unknown as Transaction;
  const frame = { instance: "orchestrator-0", serviceVersion: "0.1.0", missionJson: missionToJson };
  createMissionFacts(frame, systemClock).appendAll(outbox, transitions);
  return new Map(transitions.map(({ fact }, at) => [fact, written[at] ?? ""] as const).reverse());
}

describe("what missions tell", () => {
  test("is every event of the contract in these lives", () => {
    expect([...told().keys()].sort()).toEqual(Object.keys(STATUS_AFTER).sort());
  });

  test("is what every consumer needs", async () => {
    const held = await verifyMessages("orchestrator", Object.fromEntries(told()));
    expect(held).toEqual({ observatory: Object.keys(STATUS_AFTER).length });
  });
});
