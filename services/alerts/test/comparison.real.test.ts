import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { systemClock } from "@orrery/mesh/time/clock";
import { aWebhookAlert } from "./alert-factory.ts";
import { type DeskWorld, deskWorld } from "./desk-world.ts";

/** Stands in for Alertmanager's own API, with the shape that version 0.25 answers. */
interface Peer {
  readonly url: string;
  upMs: number;
  alerts: readonly object[];
  status: number;
  asked: number;
}

let world: DeskWorld;
let peer: Peer;
let server: Server;
beforeEach(async () => {
  world = await deskWorld();
  server = createServer((request, response) => {
    peer.asked += 1;
    const uptime = new Date(systemClock.nowMs() - peer.upMs).toISOString();
    const listed = peer.alerts.map((alert) => ({ ...alert, status: { state: "suppressed" }, receivers: [] }));
    response.writeHead(peer.status, { "content-type": "application/json" });
    response.end(JSON.stringify(request.url === "/api/v2/status" ? { uptime } : listed));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  peer = { url: `http://127.0.0.1:${port}`, upMs: 60_000, alerts: [], status: 200, asked: 0 };
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

/** A replica compares as soon as it starts: this one has done so when it resolves. */
async function compare(settledMs: number): Promise<void> {
  const before = peer.asked;
  world.replica({ alertmanagerUrl: peer.url, settledMs });
  await eventually(() => expect(peer.asked).toBeGreaterThanOrEqual(before + 2));
}

const statuses = async () =>
  Object.fromEntries((await world.alerts()).map(({ fingerprint, status }) => [fingerprint, status]));

test("an alert that was never told is found at Alertmanager, and one that it no longer knows is over", async () => {
  await world.post(["gone", "stays"].map((fingerprint) => aWebhookAlert({ fingerprint })));
  peer.alerts = ["stays", "untold"].map((fingerprint) => aWebhookAlert({ fingerprint }));
  await compare(1);
  await eventually(async () =>
    expect(await statuses()).toEqual({ gone: "RESOLVED", stays: "FIRING", untold: "FIRING" }),
  );
  const gone = (await world.alerts()).find(({ fingerprint }) => fingerprint === "gone");
  expect(await world.sequence(gone?.id ?? "")).toEqual(["Fired", "Resolved"]);
});

test("an Alertmanager that has just started ends nothing: it does not know yet what fires", async () => {
  await world.post([aWebhookAlert({ fingerprint: "old" })]);
  peer.alerts = [aWebhookAlert({ fingerprint: "told" })];
  await compare(120_000);
  await eventually(async () => expect(await statuses()).toEqual({ old: "FIRING", told: "FIRING" }));
});

test("an alert that has only just come is not taken for one that is over", async () => {
  await world.post([aWebhookAlert({ fingerprint: "young" })]);
  peer.alerts = [aWebhookAlert({ fingerprint: "told" })];
  await compare(30_000);
  await eventually(async () => expect(await statuses()).toEqual({ young: "FIRING", told: "FIRING" }));
});

test("an Alertmanager that does not answer as it should ends nothing", async () => {
  await world.post([aWebhookAlert({ fingerprint: "old" })]);
  peer.status = 500;
  await compare(1);
  await world.post([aWebhookAlert({ fingerprint: "new" })]);
  expect(await statuses()).toEqual({ old: "FIRING", new: "FIRING" });
});
