import { expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { systemClock } from "@orrery/mesh/time/clock";
import { callHeaders } from "@orrery/mesh/transport/route";
import { eventText } from "./event-factory.ts";
import { uuidAt } from "./projection-factory.ts";
import { startService } from "./service-factory.ts";

const ATTEMPTS = 600;
const MESSAGE = "x".repeat(20_480);
const ASKED = {
  headers: callHeaders({
    onBehalf: { project: "demo", principal: "key-1", scopes: ["read"] },
    correlationId: "c-1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  }),
};

/** A job that was lost again and again, each time with a long message. */
function lostJob() {
  const timeMs = systemClock.nowMs();
  const id = uuidAt(timeMs, 1);
  const error = { type: "E", message: MESSAGE, retryable: true };
  const events = Array.from({ length: ATTEMPTS }, (_, index) => {
    const about = { id, version: index + 1, name: "JobAttemptLost", timeMs: timeMs + index };
    const attempt = { attempt: index + 1, status: "LOST", worker: "w-1", error };
    return eventText(about, { attempt: index + 1, error }, { attempt });
  });
  return { id, events };
}

test("a job of many large events is read whole, in answers that are not too large", async () => {
  await using service = await startService([]);
  const { client } = service;
  const { id, events } = lostJob();
  await service.publish(...events);
  await eventually(() => client.getJob({ id, minVersion: ATTEMPTS }, ASKED), { withinMs: 60_000 });
  const versions = Array.from({ length: ATTEMPTS }, (_, index) => index + 1);

  const history: number[] = [];
  for (let pageToken: string | undefined; pageToken !== ""; ) {
    const page = await client.listJobEvents({ id, pageSize: 1_000, pageToken: pageToken ?? "" }, ASKED);
    expect(page.events.length).toBeLessThan(ATTEMPTS);
    history.push(...page.events.map(({ aggregateVersion }) => aggregateVersion));
    pageToken = page.nextPageToken;
  }
  expect(history).toEqual(versions);

  const found: number[] = [];
  for (let after: string | undefined; after !== ""; ) {
    const page = await client.listEvents({ q: `id:${id}`, pageSize: 100, after: after ?? "" }, ASKED);
    expect(page.events.length).toBeLessThan(100);
    found.push(...page.events.map(({ aggregateVersion }) => aggregateVersion));
    after = page.nextPageToken;
  }
  expect(found).toEqual(versions);

  const { attempts, complete } = await client.listJobAttempts({ id }, ASKED);
  expect([attempts.map(({ attempt }) => attempt), complete]).toEqual([versions, true]);
  for (const { error } of attempts) expect(error?.message).toMatch(/^x+ … \(cut: 20480 bytes in all\)$/);
}, 120_000);
