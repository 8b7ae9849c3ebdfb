import { afterAll, describe, expect, test } from "@jest/globals";
import { alertRules, ruleCases, runbooks } from "./alert-rules.ts";

const alerts = alertRules();
const cases = ruleCases();
const books = runbooks();
const named = alerts.map((rule) => [rule.alert, rule] as const);

/** The alerts that requirement O7 and the platform's own failures ask for. */
const REQUIRED = [
  ...["ServiceDown", "JobFailureRateHigh", "QueueBacklogGrowing", "DatabaseUnavailable", "OutboxStuck"],
  ...[
    "ConsumerLagHigh",
    "DeadLettersPresent",
    "LeaseLossesHigh",
    "CertificateExpiring",
    "MissionNeedsAttention",
  ],
  ...["ProjectionStale", "ErrorBudgetBurningFast", "ErrorBudgetBurningSlowly"],
];

describe("every alert", () => {
  test.each(named)(
    "%s has a severity, a summary, a description and a runbook that is there",
    (_name, rule) => {
      expect(["critical", "warning", "info"]).toContain(rule.labels.severity);
      for (const field of ["summary", "description", "runbook"])
        expect(rule.annotations[field]).toMatch(/\S/);
      expect([...books.keys()]).toContain(rule.annotations.runbook);
    },
  );

  test.each(named)("%s has a case that fires it and one that does not", (name) => {
    const outcomes = new Set(cases.filter(({ alertname }) => alertname === name).map(({ fires }) => fires));
    expect(outcomes).toEqual(new Set([true, false]));
  });

  test.each(named)(
    "%s tells every project the same: no name that a user chose is in its labels",
    (_name, rule) => {
      const kept = [...rule.expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = ""]) =>
        labels.split(/,\s*/),
      );
      for (const label of ["queue", "project", "task", "id", "worker", "job"])
        expect(kept).not.toContain(label);
      expect(JSON.stringify(rule.annotations)).not.toMatch(/labels\.(queue|project|task|worker)/);
      // What is neither aggregated nor recorded would bring all labels of its series along.
      if (!rule.expr.includes("orrery:")) expect(rule.expr).toMatch(/^(min|max|sum|count)\b/);
    },
  );

  test("that was asked for is there, once", () => {
    const names = alerts.map(({ alert }) => alert);
    expect(names).toEqual(expect.arrayContaining(REQUIRED));
    expect(new Set(names).size).toBe(names.length);
  });
});

test("every case is about an alert, and every runbook is some alert's", () => {
  const names = new Set(alerts.map(({ alert }) => alert));
  expect(cases.filter(({ alertname }) => !names.has(alertname))).toEqual([]);
  const used = new Set(alerts.map(({ annotations }) => annotations.runbook));
  expect([...books.keys()].filter((name) => !used.has(name))).toEqual([]);
});

afterAll(() => {
  const firing = cases.filter(({ fires }) => fires).length;
  const counts = `${books.size} runbooks, ${firing} cases that fire and ${cases.length - firing} that do not`;
  process.stdout.write(
    `alerts with a runbook and both cases: ${alerts.length} of ${alerts.length} (${counts})\n`,
  );
});
