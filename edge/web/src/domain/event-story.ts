import type { Attempt, Envelope, Job, Mission } from "../api/contract.ts";
import { durationText } from "../words/duration-text.ts";
import { timeMs } from "../words/time-text.ts";

/** An event as a person reads it. */
export interface EventStory {
  /** Such as JobStarted. */
  readonly name: string;
  /** The status after it; empty where the event does not say. */
  readonly status: string;
  readonly text: string;
}

/** What an event says, in one line. */
export function eventStory({ eventType, payload }: Envelope): EventStory {
  const name = eventType.slice(eventType.lastIndexOf(".") + 1);
  const job = payload?.job as Job | undefined;
  if (job !== undefined)
    return { name, status: job.status, text: jobText(job, payload?.attempt as Attempt | undefined) };
  const mission = payload?.mission as Mission | undefined;
  const step = typeof payload?.step === "string" ? payload.step : "";
  return { name, status: mission?.status ?? "", text: missionText(mission, step) };
}

function jobText(job: Job, attempt: Attempt | undefined): string {
  const parts = [];
  if (attempt !== undefined)
    parts.push(`attempt ${attempt.attempt}${attempt.worker ? ` on ${attempt.worker}` : ""}`);
  const began = timeMs(attempt?.startTime);
  const ended = timeMs(attempt?.endTime);
  if (began !== undefined && ended !== undefined) parts.push(durationText(ended - began));
  if (attempt?.error) parts.push(`${attempt.error.type}: ${attempt.error.message}`);
  else if (job.error && attempt === undefined && job.status !== "QUEUED") parts.push(job.error.message);
  if (attempt === undefined && job.blocked) parts.push(job.blocked.message);
  return parts.join(" · ");
}

function missionText(mission: Mission | undefined, step: string): string {
  const found = mission?.steps.find(({ name }) => name === step);
  if (found?.error) return `${step} · ${found.error.type}: ${found.error.message}`;
  if (step !== "") return `${step}${found ? ` · ${found.task}` : ""}`;
  return mission?.error ? `${mission.error.type}: ${mission.error.message}` : "";
}
