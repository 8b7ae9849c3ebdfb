import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { AlertEvents } from "../testing/alert-events.ts";
import type { Json } from "../testing/json.ts";
import { Platform } from "../testing/platform.ts";

/** `make run OBSERVE=1` with two of everything: what Prometheus, Alertmanager and the alerts service do together. */
describe("a platform that is watched", () => {
  let platform: Platform;
  let events: AlertEvents;
  beforeAll(async () => {
    platform = await Platform.start({ OBSERVE: "1", REPLICAS: "2", ORRERY_SCRAPE_INTERVAL: "2s" });
    events = await AlertEvents.of(platform);
  }, 300_000);
  afterAll(async () => {
    await events?.[Symbol.asyncDispose]();
    await platform?.[Symbol.asyncDispose]();
  }, 90_000);

  const prometheus = async (path: string): Promise<Json> => {
    const response = await fetch(`${platform.run.prometheus?.url}/api/v1/${path}`);
    return ((await response.json()) as Json).data;
  };
  /** Tells Alertmanager of alerts, as Prometheus does. */
  const raise = async (alerts: readonly object[]): Promise<void> => {
    const response = await fetch(`${platform.run.alertmanager?.url}/api/v2/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(alerts),
    });
    expect(response.status).toBe(200);
  };
  const webhook = (replica = 0): string =>
    `${platform.run.services.alerts?.[replica]?.admin}/webhooks/alertmanager`;
  const gauge = async (pattern: RegExp): Promise<number> => {
    const { text } = await platform.admin(`${platform.run.services.alerts?.[0]?.admin}/metrics`);
    return Number(pattern.exec(text)?.[1]);
  };
  const job = () =>
    platform.send("POST", "/v1/jobs", { body: { task: "orrery.echo" }, headers: { prefer: "wait=20" } });

  test("is scraped whole over mutual TLS: every replica of every service is up under its own name", async () => {
    const expected = Object.entries(platform.run.services).flatMap(([service, replicas]) =>
      replicas.map((_, replica) => `${service} ${service}-${replica} up`),
    );
    await eventually(
      async () => {
        const { activeTargets } = await prometheus("targets?state=active");
        const found = activeTargets.map(
          ({ labels, health }: Json) => `${labels.service} ${labels.instance} ${health}`,
        );
        expect(found.sort()).toEqual(expected.sort());
      },
      { withinMs: 30_000, everyMs: 500 },
    );
    const { result } = await prometheus('query?query=orrery_alerts_active{severity="CRITICAL"}');
    const labels = result.map(({ metric }: Json) => `${metric.service} ${metric.instance}`);
    expect(labels.sort()).toEqual(["alerts alerts-0", "alerts alerts-1"]);
  }, 40_000);

  test("has the rules of the repository loaded, and none evaluated with an error", async () => {
    await eventually(async () => {
      const rules = (await prometheus("rules")).groups.flatMap((group: Json) => group.rules);
      expect(
        rules.filter(({ name, health }: Json) => name === "ServiceDown" && health === "ok"),
      ).toHaveLength(1);
      expect(
        rules.flatMap(({ name, health, lastError }: Json) => (health === "err" ? [name, lastError] : [])),
      ).toEqual([]);
    });
  }, 30_000);

  test("keeps an alert from firing over mute and acknowledgement to resolved, told by two replicas, once", async () => {
    const labels = {
      alertname: "Rehearsed",
      severity: "warning",
      service: "jobs",
      queue: "secret",
      project: "acme",
    };
    const alert = {
      labels,
      annotations: { summary: "this is a rehearsal", runbook: "service-down" },
      startsAt: new Date(Date.now() - 1_000).toISOString(),
    };
    await raise([alert]);
    const [fired] = await eventually(async () => {
      const found = await events.ofRule("Rehearsed");
      expect(found).toHaveLength(1);
      return found;
    });
    expect(fired).toMatchObject({
      projectId: "_platform",
      payload: { alert: { status: "FIRING", severity: "WARNING", runbook: "service-down", version: 1 } },
    });
    expect(fired.payload.alert.labels).toEqual({ service: "jobs" });

    const id: string = fired.aggregateId;
    const path = `/v1/alerts/${id}`;
    const listed = async (query = ""): Promise<Json> => {
      const { body } = await platform.send("GET", `/v1/alerts${query}`);
      return body.alerts.find((one: Json) => one.id === id);
    };
    await eventually(async () => expect(await listed()).toMatchObject(fired.payload.alert));
    const readOnly = { body: {}, key: platform.key("demo", "readKeyFile") };
    expect((await platform.send("POST", `${path}:acknowledge`, readOnly)).status).toBe(403);
    const muted = await platform.send("POST", `${path}:mute`, { body: { duration: "1s", note: "known" } });
    expect(muted).toMatchObject({ status: 200, body: { status: "MUTED", version: 2, note: "known" } });
    await eventually(async () =>
      expect(await events.sequence("Rehearsed")).toEqual(["Fired", "Muted", "Fired"]),
    );

    const keyed = { body: { note: "on it" }, headers: { "idempotency-key": "rehearsal" } };
    const taken = await platform.send("POST", `${path}:acknowledge`, keyed);
    expect(taken).toMatchObject({ status: 200, body: { status: "ACKNOWLEDGED", version: 4, note: "on it" } });
    const replayed = await platform.send("POST", `${path}:acknowledge`, keyed);
    expect(replayed.body).toEqual(taken.body);
    expect(replayed.headers.get("idempotency-replayed")).toBe("true");

    await raise([{ ...alert, endsAt: new Date().toISOString() }]);
    await eventually(
      async () =>
        expect(await events.sequence("Rehearsed")).toEqual([
          "Fired",
          "Muted",
          "Fired",
          "Acknowledged",
          "Resolved",
        ]),
      { withinMs: 20_000 },
    );
    await eventually(async () => {
      expect(await listed()).toBeUndefined();
      expect(await listed("?includeResolved=true")).toMatchObject({
        status: "RESOLVED",
        version: 5,
        note: "on it",
      });
    });
    const late = await platform.send("POST", `${path}:mute`, { body: { duration: "60s" } });
    expect(late).toMatchObject({ status: 409, body: { reason: "ALERT_ALREADY_RESOLVED" } });
  }, 60_000);

  test("hears nobody but Alertmanager, and counts who tried", async () => {
    const body = JSON.stringify({ version: "4", alerts: [] });
    for (const identity of ["", "operator", "prometheus", "gateway"]) {
      expect([identity, (await platform.admin(webhook(), identity, body)).status]).toEqual([identity, 403]);
    }
    expect((await platform.admin(webhook(), "alertmanager", body)).status).toBe(200);
    expect((await platform.admin(webhook(), "alertmanager", "{")).status).toBe(400);
    expect(await gauge(/orrery_policy_denied_total\{[^}]*webhooks[^}]*\} (\d+)/)).toBeGreaterThanOrEqual(4);
  });

  test("stores a storm of 10,000 alerts whole, told to two replicas at once, and publishes each once", async () => {
    const before = await events.count();
    const startsAt = new Date(Date.now() - 1_000).toISOString();
    const alerts = Array.from({ length: 10_000 }, (_, index) => ({
      status: "firing",
      labels: { alertname: "Storm", severity: "info", cell: String(index) },
      annotations: { summary: `cell ${index} of the storm` },
      startsAt,
      endsAt: "0001-01-01T00:00:00Z",
      fingerprint: `storm${index}`,
    }));
    const body = JSON.stringify({ version: "4", truncatedAlerts: 0, alerts });
    const told = await Promise.all(
      [0, 1].map((replica) => platform.admin(webhook(replica), "alertmanager", body)),
    );
    expect(told.map(({ status }) => status)).toEqual([200, 200]);
    await eventually(
      async () => {
        expect(await events.count()).toBe(before + alerts.length);
        expect(await gauge(/orrery_alerts_active\{severity="INFO"[^}]*\} (\d+)/)).toBe(alerts.length);
      },
      { withinMs: 30_000, everyMs: 250 },
    );
  }, 60_000);

  test("raises an alert by a rule of its own when a service goes quiet, and ends it when it is back", async () => {
    const worker = platform.run.services.worker?.[1]?.pid ?? 0;
    const ofWorker = async (): Promise<readonly Json[]> =>
      (await events.ofRule("ServiceDown")).filter(({ payload }) => payload.alert.labels.service === "worker");
    const seen = (wanted: readonly string[], withinMs: number) =>
      eventually(
        async () => expect((await ofWorker()).map(({ payload }) => payload.alert.status)).toEqual(wanted),
        { withinMs, everyMs: 500 },
      );
    process.kill(worker, "SIGSTOP");
    try {
      await seen(["FIRING"], 70_000);
    } finally {
      process.kill(worker, "SIGCONT");
    }
    await seen(["FIRING", "RESOLVED"], 60_000);
    const [fired] = await ofWorker();
    expect(fired.payload.alert).toMatchObject({ severity: "CRITICAL", runbook: "service-down" });
  }, 140_000);

  test("runs its jobs without those who watch, and has them back", async () => {
    for (const name of ["prometheus", "alertmanager"] as const) {
      const before = platform.run[name]?.pid ?? 0;
      process.kill(before, "SIGKILL");
      expect((await job()).body.status).toBe("SUCCEEDED");
      await eventually(async () => {
        expect(platform.run[name]?.pid).not.toBe(before);
        expect((await fetch(`${platform.run[name]?.url}/-/ready`)).status).toBe(200);
      });
    }
    for (const { pid } of [platform.run.alertmanager, platform.run.prometheus].flatMap((one) => one ?? [])) {
      process.kill(pid, "SIGSTOP");
      try {
        expect((await job()).body.status).toBe("SUCCEEDED");
      } finally {
        process.kill(pid, "SIGCONT");
      }
    }
  }, 60_000);
});
