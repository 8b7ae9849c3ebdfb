// The rules for what people, and the end of a mute, do to an alert.
import { type Alert, type Decision, next, refuse, unchanged } from "./alert.ts";

/** Why somebody's command is not carried out. */
export type ActRefusal = "NOT_FOUND" | "ALERT_ALREADY_RESOLVED" | "UNTIL_PAST" | "UNTIL_TOO_FAR";

/** What somebody wants done with an alert. */
export type AlertCommand = { readonly principal: string; readonly note: string } & (
  | { readonly kind: "acknowledge" }
  | { readonly kind: "mute"; readonly untilMs: number }
  | { readonly kind: "mute"; readonly durationMs: number }
);

/** The longest mute, in milliseconds: 30 days. */
export const MUTE_LIMIT_MS = 30 * 86_400_000;

/** Carries out a command, or says why not. */
export function obey(alert: Alert | undefined, command: AlertCommand, nowMs: number): Decision<ActRefusal> {
  if (alert === undefined) return refuse("NOT_FOUND");
  if (alert.status === "RESOLVED") return refuse("ALERT_ALREADY_RESOLVED");
  if (command.kind === "acknowledge") return acknowledge(alert, command, nowMs);
  const untilMs = "untilMs" in command ? command.untilMs : nowMs + command.durationMs;
  return mute(alert, { ...command, untilMs }, nowMs);
}

function acknowledge(
  alert: Alert,
  { principal, note }: { principal: string; note: string },
  nowMs: number,
): Decision<ActRefusal> {
  if (alert.status === "ACKNOWLEDGED") return unchanged;
  const acknowledged = { principal, atMs: nowMs };
  return {
    kind: "step",
    step: next(alert, "AlertAcknowledged", nowMs, { acknowledged, mute: undefined, note }),
  };
}

function mute(
  alert: Alert,
  { principal, note, untilMs }: { principal: string; note: string; untilMs: number },
  nowMs: number,
): Decision<ActRefusal> {
  if (alert.mute?.untilMs === untilMs) return unchanged;
  if (untilMs <= nowMs) return refuse("UNTIL_PAST");
  if (untilMs > nowMs + MUTE_LIMIT_MS) return refuse("UNTIL_TOO_FAR");
  return { kind: "step", step: next(alert, "AlertMuted", nowMs, { mute: { principal, untilMs }, note }) };
}

/** Lets an alert fire again whose mute is over: nobody has taken it on then, whoever had before. */
export function endMute(alert: Alert, nowMs: number): Decision<never> {
  if (alert.mute === undefined || alert.mute.untilMs > nowMs) return unchanged;
  return {
    kind: "step",
    step: next(alert, "AlertFired", nowMs, { mute: undefined, acknowledged: undefined }),
  };
}
