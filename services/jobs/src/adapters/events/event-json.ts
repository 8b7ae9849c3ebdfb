// ProtoJSON of the events, written by hand: three events for each job make this the hottest text in the
// service, and messages in between would cost four times as much. A test holds every field equal to what the
// contract's own codec writes, defaults included.
import { type Blocked, blocked } from "../../domain/blocked.ts";
import type { JobError, ToldAttempt, ToldJob } from "../../domain/job.ts";
import type { FactName } from "../../domain/job-state.ts";

/**
 * How much of an input or output travels in an event, in bytes of JSON; what is larger stays in the store.
 */
export const PAYLOAD_LIMIT_BYTES = 32 * 1024;

/** The process that made a transition. */
export interface Producer {
  readonly instanceId: string;
  readonly version: string;
}

/** A transition as its event tells it. */
export interface Told {
  readonly eventId: string;
  readonly producer: Producer;
  readonly fact: FactName;
  readonly occurredMs: number;
  readonly job: ToldJob;
  readonly attempt: ToldAttempt | undefined;
  /** With the first event of a job only. */
  readonly inputText?: string | undefined;
  /** With its success only. */
  readonly outputText?: string | undefined;
}

const CONTRACT_VERSION = "1.0.0";
const PAYLOAD_VERSION = "1.0.0";
const EVENT_PREFIX = "orrery.events.v1.jobs.";

/** The full name of a fact's event. */
export const eventType = (fact: string): string => EVENT_PREFIX + fact;

/** The envelope of a transition, as it is published. */
export function envelopeJson(told: Told): string {
  const { job, eventId } = told;
  const key = `${job.id}:${job.version}`;
  const { instanceId, version } = told.producer;
  const producer = `{"service":"jobs","instanceId":${text(instanceId)},"version":${text(version)}}`;
  return (
    `{"contractVersion":"${CONTRACT_VERSION}","version":"${PAYLOAD_VERSION}","eventType":"${eventType(told.fact)}"` +
    `,"eventId":"${eventId}","occurredAt":"${timeText(told.occurredMs)}","producer":${producer}` +
    `,"aggregateId":"${job.id}","aggregateVersion":${job.version},"correlationId":${text(job.correlationId)}` +
    `,"traceId":"${traceId(job.traceparent)}","traceparent":${text(job.traceparent)},"idempotencyKey":"${key}"` +
    `,"projectId":${text(job.project)},"payload":${eventJson(told)}}`
  );
}

function eventJson({ job, attempt, inputText, outputText }: Told): string {
  const attemptPart = attempt === undefined ? "" : `,"attempt":${attemptJson(attempt)}`;
  return `{"job":${jobJson(job, fitting(inputText), fitting(outputText))}${attemptPart}}`;
}

/** `undefined` leaves input or output out. */
function jobJson(job: ToldJob, inputText: string | undefined, outputText: string | undefined): string {
  const why = blocked(job, undefined);
  return (
    `{"id":"${job.id}","project":${text(job.project)},"task":${text(job.task)},"queue":${text(job.queue)}` +
    `,"status":"${job.status}","version":${job.version},"priority":${job.priority},"attempt":${job.attempt}` +
    `,"maxAttempts":${job.maxAttempts},"timeout":"${durationText(job.timeoutMs)}","retryPolicy":${policyJson(job)}` +
    `,"createTime":"${timeText(job.createMs)}","runTime":"${timeText(job.runMs)}"` +
    timeField("startTime", job.startMs) +
    timeField("endTime", job.endMs) +
    timeField("expireTime", job.expireMs) +
    `,"labels":${JSON.stringify(job.labels)},"concurrencyKey":${text(job.concurrencyKey)}` +
    (inputText === undefined ? "" : `,"input":${inputText}`) +
    (outputText === undefined ? "" : `,"output":${outputText}`) +
    (job.error === undefined ? "" : `,"error":${errorJson(job.error)}`) +
    (why === undefined ? "" : `,"blocked":${blockedJson(why)}`) +
    timeField("cancelRequestTime", job.cancelRequestMs) +
    `,"correlationId":${text(job.correlationId)},"missionId":${text(job.missionId)},"step":${text(job.step)}}`
  );
}

function policyJson({ retryPolicy }: ToldJob): string {
  const { initialDelayMs, factor, maxDelayMs, jitter } = retryPolicy;
  const delays = `"initialDelay":"${durationText(initialDelayMs)}","factor":${factor}`;
  return `{${delays},"maxDelay":"${durationText(maxDelayMs)}","jitter":${jitter}}`;
}

function attemptJson(attempt: ToldAttempt): string {
  return (
    `{"attempt":${attempt.attempt},"status":"${attempt.status}","worker":${text(attempt.worker)}` +
    timeField("startTime", attempt.startMs) +
    timeField("endTime", attempt.endMs) +
    (attempt.error === undefined ? "" : `,"error":${errorJson(attempt.error)}`) +
    "}"
  );
}

const errorJson = ({ type, message, retryable }: JobError): string =>
  `{"type":${text(type)},"message":${text(message)},"retryable":${retryable}}`;

function blockedJson({ reason, message, untilMs, position }: Blocked): string {
  const where = position === undefined ? "" : `,"position":${position}`;
  return `{"reason":"${reason}","message":${text(message)}${timeField("until", untilMs)}${where}}`;
}

function fitting(json: string | undefined): string | undefined {
  if (json === undefined || json.length > PAYLOAD_LIMIT_BYTES) return undefined;
  // A UTF-16 unit is at most three bytes: only what could be over the limit is measured.
  if (json.length * 3 <= PAYLOAD_LIMIT_BYTES) return json;
  return Buffer.byteLength(json) <= PAYLOAD_LIMIT_BYTES ? json : undefined;
}

const text = (value: string): string => JSON.stringify(value);

const timeField = (name: string, ms: number | undefined): string =>
  ms === undefined ? "" : `,"${name}":"${timeText(ms)}"`;

let knownMs = Number.NaN;
let knownText = "";

/** ProtoJSON writes no fraction where there is none, and three digits for milliseconds. */
function timeText(ms: number): string {
  // The times of one batch are mostly the same: the last one is kept.
  if (ms === knownMs) return knownText;
  const iso = new Date(ms).toISOString();
  knownMs = ms;
  knownText = iso.endsWith(".000Z") ? `${iso.slice(0, -5)}Z` : iso;
  return knownText;
}

function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const rest = ms - seconds * 1000;
  return rest === 0 ? `${seconds}s` : `${seconds}.${String(rest).padStart(3, "0")}s`;
}

/** The second field of a W3C traceparent; empty where there is none. */
const traceId = (traceparent: string): string => traceparent.split("-")[1] ?? "";
