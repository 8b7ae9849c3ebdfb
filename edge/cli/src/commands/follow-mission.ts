import { follow } from "../event-stream.ts";
import { EXIT, type ExitCode, exitCodeOfMission, missionRests } from "../exit-code.ts";
import { durationMs } from "../input.ts";
import { errorOf, textOf } from "../output/columns.ts";
import { statusText } from "../output/status-text.ts";
import type { Row } from "../output/table.ts";
import { interruption, objectOf, rowsOf, type Session } from "../session.ts";
import { type Paint, printable } from "../terminal.ts";

export interface FollowFlags {
  /** How long to wait for the end. */
  readonly wait?: string;
}

/** What stands before a step that is on the way back: an arrow, where its status does not begin with one. */
const BACKWARD: Readonly<Record<string, string>> = { UNDOING: "  ", UNDONE: "  ", UNDO_FAILED: "  ↩ " };

/**
 * `mission watch`: tells of each step of a mission, until it ends or needs attention. Its exit code is the
 * mission's: 0 succeeded, 5 failed or cancelled, 6 undone, 7 needs attention.
 */
export async function watchMission(session: Session, id: string, { wait }: FollowFlags): Promise<ExitCode> {
  const { api, format, terminal, surroundings } = session;
  using interrupted = interruption(surroundings);
  const limit = wait === undefined ? undefined : AbortSignal.timeout(durationMs(wait, "--wait"));
  const signal = limit === undefined ? interrupted.signal : AbortSignal.any([limit, interrupted.signal]);
  const onLost = () => terminal.talk("the connection was lost; looking for it again");
  const path = `/v1/missions/${encodeURIComponent(id)}`;
  const asJson = format === "json" || format === "ndjson";
  for await (const frame of follow(api, `${path}:watch`, { signal, onLost })) {
    const change = changeOf(frame.event, frame.data);
    if (change === undefined) continue;
    terminal.data(asJson ? frame.data : lineOf(change, terminal.paint));
    const status = textOf(change.mission.status);
    if (!missionRests(status)) continue;
    if (status === "NEEDS_ATTENTION") terminal.talk(`fix: ${attentionFix(change.mission)}`);
    return exitCodeOfMission(status);
  }
  if (interrupted.signal.aborted) {
    terminal.talk(`\ndetached; the mission goes on. Come back: orrery mission watch ${id}`);
    return EXIT.interrupted;
  }
  if (limit?.aborted) {
    terminal.talk(`still pending after ${wait}; go on with: orrery mission watch ${id}`);
    return EXIT.stillPending;
  }
  const { text } = await api.send("GET", path);
  return exitCodeOfMission(textOf(objectOf(text).status));
}

/** What a person can do about a mission that cannot go on by itself. */
export function attentionFix({ id, error }: Row): string {
  const { step } = (error ?? {}) as Row;
  const settle = `--step ${textOf(step) || "<name>"} --outcome <done|not-done|undone> --note <why>`;
  return (
    `mend what the step calls, then: orrery mission retry ${textOf(id)}; ` +
    `or say what became of it: orrery mission resolve ${textOf(id)} ${settle}`
  );
}

interface Change {
  readonly event: string;
  readonly mission: Row;
  readonly step: Row | undefined;
  readonly time: string;
}

function changeOf(event: string, data: string): Change | undefined {
  if (event === "reset" || data === "") return undefined;
  const parsed = JSON.parse(data) as Row;
  if (event === "snapshot") return { event: "", mission: parsed, step: undefined, time: "" };
  const { mission, step: name } = parsed.payload as { mission?: Row; step?: string };
  if (mission === undefined) return undefined;
  const step = rowsOf(mission, "steps").find((one) => one.name === name);
  return { event, mission, step, time: textOf(parsed.occurredAt) };
}

/** One line: a step on the way back is moved in, with an arrow. */
function lineOf({ event, mission, step, time }: Change, paint: Paint): string {
  const about = step ?? mission;
  const back = (step && BACKWARD[textOf(step.status)]) ?? "";
  const parts = [step === undefined ? "" : textOf(step.name), event, errorOf(about)].filter(Boolean);
  const told = parts.map(printable).join(" · ");
  return `${time.slice(11, 19).padEnd(8)}  ${back}${statusText(textOf(about.status), paint)}  ${told}`.trimEnd();
}
