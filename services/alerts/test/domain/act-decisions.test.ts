import { describe, expect, test } from "@jest/globals";
import { type AlertCommand, endMute, MUTE_LIMIT_MS, obey } from "../../src/domain/act-decisions.ts";
import { next } from "../../src/domain/alert.ts";
import type { AlertStatus } from "../../src/domain/alert-state.ts";
import { anAlert, NOW } from "../alert-factory.ts";

const acknowledge: AlertCommand = { kind: "acknowledge", principal: "cleo", note: "looking" };
const mute = (end: { untilMs: number } | { durationMs: number }): AlertCommand => ({
  kind: "mute",
  principal: "cleo",
  note: "known",
  ...end,
});

describe("an acknowledgement", () => {
  test.each(["FIRING", "MUTED"] as const)("of an alert that is %s takes it on, and ends a mute", (status) => {
    expect(obey(anAlert(status), acknowledge, NOW)).toMatchObject({
      kind: "step",
      step: {
        fact: "AlertAcknowledged",
        alert: {
          status: "ACKNOWLEDGED",
          version: anAlert(status).version + 1,
          acknowledged: { principal: "cleo", atMs: NOW },
          mute: undefined,
          note: "looking",
        },
      },
    });
  });

  test("of one that somebody has taken on already changes nothing, not even who", () => {
    expect(obey(anAlert("ACKNOWLEDGED"), acknowledge, NOW)).toEqual({ kind: "unchanged" });
  });
});

describe("a mute", () => {
  test.each([
    ["FIRING", { durationMs: 1_000 }, NOW + 1_000],
    ["ACKNOWLEDGED", { untilMs: NOW + 1 }, NOW + 1],
    ["MUTED", { durationMs: MUTE_LIMIT_MS }, NOW + MUTE_LIMIT_MS],
  ] as const)("of an alert that is %s lasts as long as it says", (status, end, untilMs) => {
    expect(obey(anAlert(status), mute(end), NOW)).toMatchObject({
      kind: "step",
      step: { fact: "AlertMuted", alert: { status: "MUTED", mute: { principal: "cleo", untilMs } } },
    });
  });

  test("until when it is muted already changes nothing", () => {
    expect(obey(anAlert("MUTED"), mute({ untilMs: NOW + 60_000 }), NOW)).toEqual({ kind: "unchanged" });
  });

  test.each([
    ["now", { untilMs: NOW }, "UNTIL_PAST"],
    ["before the epoch", { untilMs: -1 }, "UNTIL_PAST"],
    ["30 days and a millisecond ahead", { untilMs: NOW + MUTE_LIMIT_MS + 1 }, "UNTIL_TOO_FAR"],
  ] as const)("that ends %s is refused", (_when, end, reason) => {
    expect(obey(anAlert("FIRING"), mute(end), NOW)).toEqual({ kind: "refused", reason });
  });

  test("is over at its end and not before; then the alert fires, and nobody has taken it on", () => {
    const taken = anAlert("ACKNOWLEDGED");
    const { alert } = next(taken, "AlertMuted", NOW, { mute: { principal: "bob", untilMs: NOW + 5 } });
    expect(endMute(alert, NOW + 4)).toEqual({ kind: "unchanged" });
    expect(endMute(alert, NOW + 5)).toMatchObject({
      kind: "step",
      step: {
        fact: "AlertFired",
        alert: { status: "FIRING", acknowledged: undefined, mute: undefined, version: 4 },
      },
    });
  });

  test.each(["FIRING", "ACKNOWLEDGED", "RESOLVED"] as const)("that is not on cannot end: %s", (status) => {
    expect(endMute(anAlert(status), NOW)).toEqual({ kind: "unchanged" });
  });
});

test.each([
  ["an unknown alert", undefined, "NOT_FOUND"],
  ["an alert that is over", "RESOLVED", "ALERT_ALREADY_RESOLVED"],
] as const)("neither is done to %s", (_what, status: AlertStatus | undefined, reason) => {
  const alert = status === undefined ? undefined : anAlert(status);
  for (const command of [acknowledge, mute({ durationMs: 1_000 })])
    expect(obey(alert, command, NOW)).toEqual({ kind: "refused", reason });
});
