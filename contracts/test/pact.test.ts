import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { WORKLOADS } from "@orrery/mesh/topology";
import { eventTraffic } from "../src/outputs.ts";
import { eventNamedIn, keptPacts } from "../src/pact/pact-folder.ts";
import { verifyMessages } from "../src/pact/verification.ts";
import { currentContract, ROOT } from "./contract-reader.ts";

const contract = await currentContract();
const traffic = WORKLOADS.map(eventTraffic);
const pacts = keptPacts();
const messagePacts = pacts.filter(({ provider }) => provider !== "edge");

describe("the contracts of consumers", () => {
  test("are there for each workload that hears events, with each that tells them", () => {
    const heard = traffic.flatMap(({ workload, receives }) =>
      receives.map((context) => `${workload} of ${context}`),
    );
    expect(messagePacts.map(({ consumer, provider }) => `${consumer} of ${provider}`).sort()).toEqual(
      heard.sort(),
    );
    expect(traffic.flatMap(({ sends }) => sends)).toEqual(
      expect.arrayContaining(messagePacts.map(({ provider }) => provider)),
    );
  });

  test("are there for everybody who calls the edge from here", () => {
    expect(keptPacts("edge").map(({ consumer }) => consumer)).toEqual(["cli", "page"]);
  });

  test("name every event of the contract, and no other", () => {
    const named = messagePacts.flatMap(({ provider, interactions }) =>
      interactions.map((interaction) => `${provider}.${eventNamedIn(interaction)}`),
    );
    const events = contract.events.map(({ context, message }) => `${context}.${message.name}`);
    expect([...new Set(named)].sort()).toEqual(events.sort());
    const counts = pacts.map(
      ({ consumer, provider, interactions }) => `${consumer} of ${provider}: ${interactions.length}`,
    );
    process.stdout.write(`consumer contracts: ${counts.join(", ")}\n`);
  });
});

describe("a producer that breaks its consumers' contract", () => {
  /** What alerts tell, as their AsyncAPI document shows it. */
  const { components } = JSON.parse(readFileSync(join(ROOT, "contracts/asyncapi/alerts.json"), "utf8")) as {
    components: {
      messages: Record<string, { examples: [{ payload: { payload: { alert: Record<string, unknown> } } }] }>;
    };
  };
  const told = (change: (alert: Record<string, unknown>) => void) =>
    Object.fromEntries(
      Object.entries(components.messages).map(([name, { examples }]) => {
        const envelope = structuredClone(examples[0].payload);
        change(envelope.payload.alert);
        return [name, JSON.stringify(envelope)];
      }),
    );

  test("passes where nothing is changed", async () => {
    expect(
      await verifyMessages(
        "alerts",
        told(() => undefined),
      ),
    ).toEqual({ observatory: 4 });
  });

  test.each<readonly [string, (alert: Record<string, unknown>) => void, RegExp]>([
    ["leaves out a name", (alert) => delete alert.name, /observatory and alerts - AlertFired: .*name/],
    ["renames the start", (alert) => delete alert.startTime, /startTime/],
    ["tells a status that nobody knows", (alert) => Object.assign(alert, { status: "GONE?" }), /status/],
    ["tells a version as text", (alert) => Object.assign(alert, { version: "1" }), /version/],
  ])("is found out, and told what it broke: it %s", async (_what, change, words) => {
    await expect(verifyMessages("alerts", told(change))).rejects.toThrow(words);
  });

  test("is found out where it does not tell an event at all", async () => {
    const { AlertMuted: _gone, ...rest } = told(() => undefined);
    await expect(verifyMessages("alerts", rest)).rejects.toThrow(/AlertMuted/);
  });
});
