import { describe, expect, test } from "@jest/globals";
import * as events from "@orrery/contracts/gen/orrery/alerts/v1/alert_events_pb.js";
import { Alert_Severity, Alert_Status } from "@orrery/contracts/gen/orrery/alerts/v1/alert_pb.js";
import { next } from "../../src/domain/alert.ts";
import {
  ALERT_STATUSES,
  canFollow,
  type FactName,
  NEXT,
  SEVERITIES,
  STATUS_AFTER,
} from "../../src/domain/alert-state.ts";
import { anAlert, NOW } from "../alert-factory.ts";

const named = (values: object): string[] =>
  Object.keys(values).filter((key) => Number.isNaN(Number(key)) && !key.endsWith("_UNSPECIFIED"));

describe("the table of an alert's steps", () => {
  test("names the statuses, severities and events of the contract, and no others", () => {
    expect([...ALERT_STATUSES].sort()).toEqual(named(Alert_Status).sort());
    expect([...SEVERITIES].sort()).toEqual(named(Alert_Severity).sort());
    expect(Object.keys(STATUS_AFTER).sort()).toEqual(
      events.file_orrery_alerts_v1_alert_events.messages.map(({ name }) => name).sort(),
    );
  });

  test("A1: nothing leaves RESOLVED", () => {
    expect(NEXT.RESOLVED).toEqual([]);
  });

  test.each(
    ALERT_STATUSES.flatMap((from) =>
      Object.keys(STATUS_AFTER).map((fact) => ({ from, fact: fact as FactName })),
    ),
  )(
    "A1, A2: $fact after $from is the next version if the table has it, and a defect if not",
    ({ from, fact }) => {
      const alert = anAlert(from);
      if (!canFollow(from, STATUS_AFTER[fact])) {
        expect(() => next(alert, fact, NOW, {})).toThrow("cannot follow");
        return;
      }
      expect(next(alert, fact, NOW, {})).toMatchObject({
        from,
        fact,
        occurredMs: NOW,
        alert: { status: STATUS_AFTER[fact], version: alert.version + 1 },
      });
    },
  );
});
