import { fromJsonString } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Alert_Status } from "@orrery/contracts/gen/orrery/alerts/v1/alert_pb.js";
import { EventEnvelopeSchema } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import type { Fault } from "@orrery/mesh/fault/fault";
import { eventually } from "@orrery/mesh/testing/eventually";
import { aWebhookAlert } from "./alert-factory.ts";
import { type DeskWorld, deskWorld, type StoredAlert } from "./desk-world.ts";

let world: DeskWorld;
beforeAll(async () => {
  world = await deskWorld();
});
afterAll(async () => world[Symbol.asyncDispose]());

let made = 0;
function fresh(): string {
  made += 1;
  return `f${made.toString(16).padStart(15, "0")}`;
}

async function stored(fingerprint: string, from: DeskWorld = world): Promise<readonly StoredAlert[]> {
  return (await from.alerts()).filter((alert) => alert.fingerprint === fingerprint);
}

/** A new alert that fires, by its webhook. */
async function firing(): Promise<StoredAlert> {
  const fingerprint = fresh();
  await world.post([aWebhookAlert({ fingerprint })]);
  const [alert] = await stored(fingerprint);
  if (alert === undefined) throw new Error("it was not stored");
  return alert;
}

const reasonOf = (failure: unknown): unknown => (failure as Fault).reason;

describe("an alert", () => {
  test("is one from firing to resolved, however often Alertmanager repeats itself", async () => {
    const fingerprint = fresh();
    const fires = aWebhookAlert({ fingerprint });
    const ends = aWebhookAlert({ fingerprint, status: "resolved", endsAt: "2026-11-21T09:29:30Z" });
    for (const alert of [fires, fires, ends, ends, fires]) {
      expect(await world.post([alert])).toEqual({ status: 200, text: "1 stored" });
    }
    const [alert, ...more] = await stored(fingerprint);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({
      status: "RESOLVED",
      version: 2,
      end_time: Date.UTC(2026, 10, 21, 9, 29, 30),
    });
    expect(await world.sequence(alert?.id ?? "")).toEqual(["Fired", "Resolved"]);
  });

  test("that comes back is a new one", async () => {
    const fingerprint = fresh();
    await world.post([aWebhookAlert({ fingerprint, status: "resolved", endsAt: "2026-11-21T09:29:30Z" })]);
    await world.post([aWebhookAlert({ fingerprint, startsAt: "2026-11-21T09:29:40Z" })]);
    expect((await stored(fingerprint)).map(({ status }) => status)).toEqual(["RESOLVED", "FIRING"]);
  });

  test("goes from hand to hand: muted, firing again when that is over, taken on, over", async () => {
    const { id, fingerprint } = await firing();
    const muted = await world.ask("muteAlert", { id, duration: { seconds: 1n }, note: "known" });
    expect(muted.alert).toMatchObject({
      status: Alert_Status.MUTED,
      version: 2,
      mutedBy: "ann",
      note: "known",
    });
    await eventually(async () =>
      expect(await stored(fingerprint)).toMatchObject([{ status: "FIRING", version: 3 }]),
    );
    const taken = await world.ask("acknowledgeAlert", { id: id.toUpperCase(), note: "on it" });
    expect(taken.alert).toMatchObject({
      status: Alert_Status.ACKNOWLEDGED,
      version: 4,
      acknowledgedBy: "ann",
    });
    const again = await world.ask("acknowledgeAlert", { id, note: "me too" });
    expect(again.alert).toMatchObject({ version: 4, note: "on it" });
    await world.post([aWebhookAlert({ fingerprint, status: "resolved" })]);
    expect(await world.sequence(id)).toEqual(["Fired", "Muted", "Fired", "Acknowledged", "Resolved"]);
    const text = "select payload from outbox where aggregate_id = $1 order by version";
    const envelopes = await world.asOwner<{ payload: string }>(text, [id]);
    expect(envelopes.map(({ payload }) => JSON.parse(payload).correlationId)).toEqual([
      ...[id, "correlation-1", id, "correlation-1", id],
    ]);
    const acts = await world.asOwner(
      "select version, action, principal, project, note from alert_act where alert_id = $1",
      [id],
    );
    expect(acts).toEqual([
      { version: 2, action: "mute", principal: "ann", project: "demo", note: "known" },
      { version: 4, action: "acknowledge", principal: "ann", project: "demo", note: "on it" },
    ]);
    for (const rpc of ["acknowledgeAlert", "muteAlert"] as const) {
      const late = world.ask(rpc, { id, ...(rpc === "muteAlert" && { duration: { seconds: 1n } }) });
      expect(await late.catch(reasonOf)).toBe("ALERT_ALREADY_RESOLVED");
    }
  });

  test("tells of itself in events of the platform that hold the whole alert", async () => {
    const { id } = await firing();
    const [row] = await world.asOwner<{ payload: string; subject: string; project_id: string }>(
      "select payload, subject, project_id from outbox where aggregate_id = $1",
      [id],
    );
    expect(row?.project_id).toBe("_platform");
    expect(row?.subject).toBe(`orrery.events.v1.alerts.AlertFired.${Number.parseInt(id.slice(-1), 16)}`);
    expect(fromJsonString(EventEnvelopeSchema, row?.payload ?? "")).toMatchObject({
      eventType: "orrery.events.v1.alerts.AlertFired",
      aggregateId: id,
      aggregateVersion: 1,
      projectId: "_platform",
      correlationId: id,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      producer: { service: "alerts", instanceId: "alerts-test" },
      payload: {
        alert: {
          id,
          name: "ServiceDown",
          severity: "CRITICAL",
          status: "FIRING",
          summary: "jobs is down",
          runbook: "service-down",
          startTime: "2026-11-21T09:29:00.123Z",
          acknowledgedBy: "",
        },
      },
    });
  });
});

describe("a command", () => {
  test("with a key is carried out once, and its answer is given again", async () => {
    const { id } = await firing();
    const request = { id, duration: { seconds: 600n }, note: "n", idempotencyKey: `key-${id}` };
    const first = await world.ask("muteAlert", request);
    const second = await world.ask("muteAlert", request);
    expect([first.replayed, second.replayed]).toEqual([false, true]);
    expect(second.alert).toEqual(first.alert);
    const other = world.ask("muteAlert", { ...request, note: "another" });
    expect(await other.catch(reasonOf)).toBe("IDEMPOTENCY_KEY_REUSED");
    const elsewhere = await world.ask("muteAlert", { ...request, note: "another" }, "second");
    expect(elsewhere.replayed).toBe(false);
  });

  test("with a key that another request holds right now is refused until that one is done", async () => {
    const { id } = await firing();
    const idempotencyKey = `key-${id}`;
    const named = `concat_ws(chr(1), 'demo', 'AcknowledgeAlert', '${idempotencyKey}')`;
    const lock = `select pg_advisory_xact_lock(hashtextextended(${named}, 0))`;
    const held = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const holder = world.pool.transaction(async (tx) => {
      await tx.exec(lock);
      held.resolve();
      await release.promise;
    });
    await held.promise;
    const refused = await world.ask("acknowledgeAlert", { id, idempotencyKey }).catch(reasonOf);
    release.resolve();
    await holder;
    expect(refused).toBe("IDEMPOTENCY_IN_FLIGHT");
    expect((await world.ask("acknowledgeAlert", { id, idempotencyKey })).replayed).toBe(false);
  });

  test("about no alert is NOT_FOUND, and a mute into the past names its field", async () => {
    const nowhere = { id: "01a1fd6c-2a40-7000-8000-00000000000b" };
    expect(await world.ask("acknowledgeAlert", nowhere).catch(reasonOf)).toBe("NOT_FOUND");
    const { id } = await firing();
    const past = await world
      .ask("muteAlert", { id, untilTime: { seconds: 1n } })
      .catch((fault: Fault) => fault);
    expect(past).toMatchObject({ reason: "INVALID_REQUEST", fieldViolations: [{ field: "untilTime" }] });
  });
});

describe("a storm", () => {
  const STORM = 10_000;

  test("of 10,000 alerts in one webhook is stored whole, and hearing it again changes nothing", async () => {
    await using storm = await deskWorld();
    const alerts = Array.from({ length: STORM }, (_, index) => aWebhookAlert({ fingerprint: `s${index}` }));
    expect(await storm.post(alerts)).toEqual({ status: 200, text: `${STORM} stored` });
    expect(await storm.post(alerts)).toEqual({ status: 200, text: `${STORM} stored` });
    const [count] = await storm.asOwner(
      "select count(*)::int as alerts, sum(version)::int as versions from alert",
    );
    expect(count).toEqual({ alerts: STORM, versions: STORM });
    expect(
      await storm.asOwner("select sum(cardinality(versions))::int as events from outbox_pending"),
    ).toEqual([{ events: STORM }]);
  }, 60_000);

  test("of 2,000 webhooks at once, each told to two replicas, is stored once", async () => {
    await using storm = await deskWorld();
    const other = storm.replica();
    const replies = await Promise.all(
      Array.from({ length: 2_000 }, (_, index) => {
        const alerts = [aWebhookAlert({ fingerprint: `m${index}` })];
        return Promise.all([storm.post(alerts), other.post(alerts)]);
      }),
    );
    expect(new Set(replies.flat().map(({ status }) => status))).toEqual(new Set([200]));
    const [count] = await storm.asOwner(
      "select count(*)::int as alerts, sum(version)::int as versions from alert",
    );
    expect(count).toEqual({ alerts: 2_000, versions: 2_000 });
  }, 60_000);
});

describe("what is shown to operators", () => {
  test("counts alerts that are not resolved by severity, the same on every replica", async () => {
    await using shown = await deskWorld();
    const other = shown.replica();
    await shown.post([
      aWebhookAlert({ fingerprint: "c1" }),
      aWebhookAlert({ fingerprint: "c2", status: "resolved" }),
      aWebhookAlert({ fingerprint: "w1", labels: { alertname: "A", severity: "warning" } }),
    ]);
    for (const { metrics } of [shown, other]) {
      await eventually(async () => {
        const text = await metrics.registry.getSingleMetricAsString("orrery_alerts_active");
        expect(text).toContain('orrery_alerts_active{severity="CRITICAL",service="alerts"} 1');
        expect(text).toContain('orrery_alerts_active{severity="WARNING",service="alerts"} 1');
        expect(text).toContain('orrery_alerts_active{severity="INFO",service="alerts"} 0');
      });
    }
  });

  test("counts webhooks by what became of them; one that cannot be read is refused and stores nothing", async () => {
    await using counted = await deskWorld();
    expect((await counted.postRaw("{")).status).toBe(400);
    expect((await counted.post([aWebhookAlert(), { status: "firing" }])).status).toBe(400);
    expect(await counted.alerts()).toEqual([]);
    await counted.post([]);
    const text = await counted.metrics.registry.getSingleMetricAsString("orrery_alert_webhooks_total");
    expect(text).toContain('{result="malformed",service="alerts"} 2');
    expect(text).toContain('{result="stored",service="alerts"} 1');
    expect(text).toContain('{result="failed",service="alerts"} 0');
  });
});

describe("the database", () => {
  test.each([
    ["rewrite who did what", "update alert_act set note = 'x'"],
    ["forget who did what", "delete from alert_act"],
    ["rewrite an event", "update outbox set payload = '{}'"],
    ["change a table", "alter table alert add column x int"],
  ])("does not let the service %s", async (_what, text) => {
    await expect(world.pool.query({ name: `test.${_what}`, text }, [])).rejects.toMatchObject({
      reason: "INTERNAL",
    });
  });

  test("A4: holds no two open alerts of one fingerprint", async () => {
    const { id } = await firing();
    const columns =
      "name, severity, summary, description, runbook, labels, correlation_id, traceparent, status";
    const copy = `insert into alert (id, fingerprint, version, note, start_time, ${columns})
      select gen_random_uuid(), fingerprint, 1, '', now(), ${columns} from alert where id = $1`;
    await expect(world.asOwner(copy, [id])).rejects.toMatchObject({ cause: { constraint: "alert_open" } });
  });

  test("forgets an alert 90 days after its end, and keeps who did what to it", async () => {
    await using old = await deskWorld();
    await old.post([aWebhookAlert({ fingerprint: "old" }), aWebhookAlert({ fingerprint: "young" })]);
    for (const { id } of await old.alerts()) await old.ask("acknowledgeAlert", { id });
    const [alert] = (await old.alerts()).filter(({ fingerprint }) => fingerprint === "old");
    await old.post([aWebhookAlert({ fingerprint: "old", status: "resolved" })]);
    await old.asOwner("update alert set end_time = now() - interval '91 days' where id = $1", [alert?.id]);
    const next = old.replica(); // housekeeping is the first thing that a replica does
    await eventually(async () =>
      expect((await next.alerts()).map(({ fingerprint }) => fingerprint)).toEqual(["young"]),
    );
    expect(await old.asOwner("select count(*)::int as acts from alert_act")).toEqual([{ acts: 2 }]);
  });
});
