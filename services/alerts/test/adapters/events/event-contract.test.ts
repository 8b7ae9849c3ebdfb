import { expect, test } from "@jest/globals";
import { verifyMessages } from "@orrery/contracts/pact/verification";
import { envelopeJson } from "../../../src/adapters/events/alert-facts.ts";
import { alertToWire } from "../../../src/adapters/rpc/alert-wire.ts";
import { type FactName, STATUS_AFTER } from "../../../src/domain/alert-state.ts";
import { anAlert, NOW } from "../../alert-factory.ts";

const FACTS = Object.keys(STATUS_AFTER) as FactName[];
const MAKER = { instance: "alerts-0", serviceVersion: "0.1.0", toWire: alertToWire };

const published = (fact: FactName): string =>
  envelopeJson(
    { alert: anAlert(STATUS_AFTER[fact]), from: undefined, fact, occurredMs: NOW },
    { eventId: "01a1fd6c-2a40-7000-8000-00000000000e", eventType: `orrery.events.v1.alerts.${fact}` },
    MAKER,
  );

test("what alerts tell is what every consumer needs", async () => {
  const messages = Object.fromEntries(FACTS.map((fact) => [fact, published(fact)]));
  expect(await verifyMessages("alerts", messages)).toEqual({ observatory: FACTS.length });
});
