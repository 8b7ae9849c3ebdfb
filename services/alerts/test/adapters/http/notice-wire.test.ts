import { describe, expect, test } from "@jest/globals";
import { NoticeMalformed, noticesFrom } from "../../../src/adapters/http/notice-wire.ts";
import { aWebhook, aWebhookAlert, NOW } from "../../alert-factory.ts";

const read = (webhook: unknown) =>
  noticesFrom(Buffer.from(typeof webhook === "string" ? webhook : JSON.stringify(webhook)), {
    newId: () => "01a1fd6c-2a40-7000-8000-00000000000b",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    nowMs: NOW,
  });
const readOne = (said: Readonly<Record<string, unknown>>) => read(aWebhook([aWebhookAlert(said)])).notices[0];

describe("a webhook of Alertmanager", () => {
  test("is read whole: what identifies an alert, what it says, and nothing that a tenant may have named", () => {
    const labels = {
      alertname: "QueueBacklogGrowing",
      severity: "info",
      runbook: "queue-backlog",
      queue: "secret",
      project: "acme",
      service: "jobs",
    };
    expect(readOne({ labels })).toEqual({
      id: "01a1fd6c-2a40-7000-8000-00000000000b",
      correlationId: "01a1fd6c-2a40-7000-8000-00000000000b",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      fingerprint: "a1b2c3d4e5f60718",
      name: "QueueBacklogGrowing",
      severity: "INFO",
      summary: "jobs is down",
      description: "No replica of jobs has answered for a minute.",
      runbook: "queue-backlog",
      labels: { service: "jobs" },
      startMs: Date.UTC(2026, 10, 21, 9, 29, 0, 123),
      overMs: undefined,
    });
  });

  test("with an alert that is over says when, or now where it does not", () => {
    expect(readOne({ status: "resolved", endsAt: "2026-11-21T09:29:30Z" })?.overMs).toBe(NOW - 30_000);
    expect(readOne({ status: "resolved", endsAt: "0001-01-01T00:00:00Z" })?.overMs).toBe(NOW);
    expect(readOne({ status: "resolved", endsAt: 7 })?.overMs).toBe(NOW);
  });

  test.each([
    ["critical", "CRITICAL"],
    ["warning", "WARNING"],
    ["info", "INFO"],
    ["page", "WARNING"],
    ["__proto__", "WARNING"],
    [undefined, "WARNING"],
  ])("has the severity %s, which is %s here", (severity, expected) => {
    expect(readOne({ labels: { alertname: "A", ...(severity && { severity }) } })?.severity).toBe(expected);
  });

  test.each([
    [{ runbook: "service-down" }, "service-down"],
    [{ runbook: "mesh/observability/runbooks/service-down.md" }, "service-down"],
    [{ runbook: "../../etc/passwd?x" }, ""],
    [{ runbook: ".." }, ""],
    [{}, ""],
  ])("names its runbook in an annotation too: %j", (annotations, expected) => {
    expect(readOne({ labels: { alertname: "A" }, annotations })?.runbook).toBe(expected);
  });

  test("is cut to what is kept, and made storable", () => {
    const labels = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`l${index}`, "v".repeat(300)]),
    );
    const notice = readOne({
      labels: { ...labels, alertname: "n\u0000\ud800" },
      annotations: { summary: "s".repeat(2_000) },
    });
    expect(notice?.name).toBe("n\uFFFD\uFFFD");
    expect(notice?.summary).toHaveLength(1_024);
    expect(Object.keys(notice?.labels ?? {})).toHaveLength(32);
    expect(notice?.labels.l0).toHaveLength(256);
  });

  test("says how many alerts Alertmanager left out", () => {
    expect(read(aWebhook([], { truncatedAlerts: 3 }))).toEqual({ notices: [], leftOut: 3 });
  });

  test.each([
    ["", "the body is no JSON"],
    ["{", "the body is no JSON"],
    ["null", "the body is no object"],
    ["[]", "the body is no object"],
    [{}, "version"],
    [aWebhook([], { version: "3" }), "version"],
    [aWebhook([], { alerts: {} }), "alerts is no list"],
    [aWebhook([null]), "alerts[0] is no object"],
    [aWebhook([aWebhookAlert(), aWebhookAlert({ fingerprint: "" })]), "alerts[1].fingerprint"],
    [aWebhook([aWebhookAlert({ fingerprint: "x".repeat(129) })]), "alerts[0].fingerprint"],
    [aWebhook([aWebhookAlert({ fingerprint: "with blank" })]), "alerts[0].fingerprint"],
    [aWebhook([aWebhookAlert({ status: "suppressed" })]), "alerts[0].status"],
    [aWebhook([aWebhookAlert({ startsAt: "yesterday" })]), "alerts[0].startsAt"],
    [aWebhook([aWebhookAlert({ startsAt: "0001-01-01T00:00:00Z" })]), "alerts[0].startsAt"],
    [aWebhook([aWebhookAlert({ startsAt: undefined })]), "alerts[0].startsAt"],
    [aWebhook([aWebhookAlert({ labels: [] })]), "alerts[0].labels"],
    [aWebhook([aWebhookAlert({ labels: { a: 1 } })]), "alerts[0].labels"],
    [aWebhook([aWebhookAlert({ annotations: "text" })]), "alerts[0].annotations"],
  ])("is refused by the part that is wrong: %j", (webhook, part) => {
    expect(() => read(webhook)).toThrow(NoticeMalformed);
    expect(() => read(webhook)).toThrow(part);
  });
});
