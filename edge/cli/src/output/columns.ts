import type { Json } from "../api.ts";
import { statusText } from "./status-text.ts";
import type { Column, Row } from "./table.ts";

/** A value as one line of text. */
export function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What people handed in or worked out, as it is. */
const AS_IT_IS: readonly string[] = ["input", "output"];

/** A field's value for a person: a sentence where it holds one, pairs, or indented JSON; no line where it is empty. */
export function linesOf(name: string, value: Json | undefined): readonly string[] {
  if (AS_IT_IS.includes(name)) return JSON.stringify(value, undefined, 2).split("\n");
  if (typeof value !== "object" || value === null) return [textOf(value)];
  if (Array.isArray(value)) return value.length === 0 ? [] : [list(value)];
  const { type, reason, message } = value as Row;
  const text = message === undefined ? pairs(value) : `${textOf(type ?? reason)}: ${textOf(message)}`;
  return text === "" ? [] : [text];
}

const field = (name: string, title = name): Column => ({ title, value: (row) => textOf(row[name]) });

/** A field of an object that is a field of the row. */
const inner = (row: Row, name: string, below: string): string => {
  const value = row[name];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "";
  return textOf((value as Row)[below]);
};

const pairs = (value: Json | undefined): string =>
  typeof value === "object" && value !== null
    ? Object.entries(value)
        .map(([name, one]) => `${name}=${textOf(one as Json)}`)
        .join(" ")
    : "";

const list = (value: Json | undefined): string => (Array.isArray(value) ? value.map(textOf).join(" ") : "");

const status: Column = {
  title: "status",
  value: (row) => textOf(row.status),
  shown: (row, { paint }) => statusText(textOf(row.status), paint),
};

/** What holds a job that waits, or what went wrong with one that did not succeed; a job that runs has no why. */
export const whyOf = (row: Row): string =>
  row.status === "RUNNING" || row.status === "SUCCEEDED" ? "" : reasonOf(row);

const reasonOf = (row: Row): string => inner(row, "blocked", "message") || errorOf(row);

/** What went wrong, where something did. */
export const errorOf = (row: Row): string =>
  [inner(row, "error", "type"), inner(row, "error", "message")].filter(Boolean).join(": ");

export const JOB_COLUMNS: readonly Column[] = [
  field("id"),
  status,
  field("task"),
  field("queue"),
  { title: "attempt", value: (row) => `${textOf(row.attempt)}/${textOf(row.maxAttempts)}` },
  field("createTime", "created"),
  { ...field("priority"), wide: true },
  { ...field("runTime", "run"), wide: true },
  { ...field("startTime", "started"), wide: true },
  { ...field("endTime", "ended"), wide: true },
  { title: "labels", value: (row) => pairs(row.labels), wide: true },
  { title: "why", value: whyOf },
];

export const ATTEMPT_COLUMNS: readonly Column[] = [
  field("attempt"),
  status,
  field("worker"),
  field("startTime", "started"),
  field("endTime", "ended"),
  { title: "error", value: reasonOf },
];

export const EVENT_COLUMNS: readonly Column[] = [
  field("aggregateVersion", "version"),
  { title: "event", value: (row) => textOf(row.eventType).split(".").at(-1) ?? "" },
  field("occurredAt", "time"),
  { ...field("eventId", "id"), wide: true },
  { ...field("correlationId", "correlation"), wide: true },
  { ...field("traceId", "trace"), wide: true },
  {
    title: "status",
    value: (row) => textOf(leftBy(row).status),
    shown: (row, { paint }) => statusText(textOf(leftBy(row).status), paint),
    screen: true,
  },
  { title: "what", value: whatOf, screen: true },
];

interface Payload {
  readonly job?: Row;
  readonly attempt?: Row;
  readonly mission?: Row;
  /** The name of the mission's step that it is about. */
  readonly step?: string;
}

const payloadOf = (event: Row): Payload => (event.payload ?? {}) as Payload;

/** What an event is about, as it stands after it: a job, a step of a mission, or the mission. */
function leftBy(event: Row): Row {
  const { job, mission, step } = payloadOf(event);
  const steps = (mission?.steps ?? []) as readonly Row[];
  return job ?? steps.find(({ name }) => name === step) ?? mission ?? {};
}

function whatOf(event: Row): string {
  const { attempt, step } = payloadOf(event);
  const left = leftBy(event);
  // A job that is queued again keeps the error of the attempt before, of which an event has told.
  if (attempt === undefined)
    return [textOf(step), left.status === "QUEUED" ? "" : whyOf(left)].filter(Boolean).join(" · ");
  const worker = `attempt ${textOf(attempt.attempt)} on ${textOf(attempt.worker)}`;
  return [worker, errorOf(attempt)].filter(Boolean).join(" · ");
}

export const QUEUE_COLUMNS: readonly Column[] = [
  field("name"),
  { title: "state", value: (row) => (row.paused === true ? "paused" : "open") },
  ...["SCHEDULED", "QUEUED", "RUNNING", "RETRYING"].map((name) => ({
    title: name.toLowerCase(),
    value: (row: Row) => inner(row, "depth", name) || "0",
  })),
  { title: "oldest wait", value: (row) => `${textOf(row.oldestWaitSeconds) || "0"}s` },
  { ...field("concurrency"), wide: true },
  { ...field("concurrencyPerKey", "per key"), wide: true },
  { title: "rate", value: (row) => pairs(row.rate), wide: true },
];

export const WORKER_COLUMNS: readonly Column[] = [
  field("worker"),
  { title: "state", value: (row) => (row.draining === true ? "draining" : "live") },
  { title: "leases", value: (row) => `${textOf(row.leases) || "0"}/${textOf(row.slots)}` },
  field("lastSeenTime", "last seen"),
  { title: "tasks", value: (row) => list(row.tasks) },
  { title: "queues", value: (row) => list(row.queues) || "all", wide: true },
];

export const METRIC_COLUMNS: readonly Column[] = [
  field("name"),
  field("value"),
  field("unit"),
  field("description"),
];

export const MISSION_COLUMNS: readonly Column[] = [
  field("id"),
  status,
  field("name"),
  { title: "steps", value: stepsOf },
  field("createTime", "created"),
  { ...field("startTime", "started"), wide: true },
  { ...field("endTime", "ended"), wide: true },
  { title: "labels", value: (row) => pairs(row.labels), wide: true },
  { title: "why", value: errorOf },
];

/** How many of a mission's steps are done, of how many. */
function stepsOf({ steps }: Row): string {
  const all = Array.isArray(steps) ? (steps as readonly Row[]) : [];
  return `${all.filter((step) => step.status === "SUCCEEDED").length}/${all.length}`;
}

export const STEP_COLUMNS: readonly Column[] = [
  { title: "step", value: (row) => textOf(row.name) },
  status,
  field("task"),
  field("jobId", "job"),
  field("undoJobId", "undo job"),
  { title: "after", value: (row) => list(row.after), wide: true },
  { title: "undo", value: (row) => textOf(row.undoTask), wide: true },
  { title: "why", value: (row) => textOf(row.why) || errorOf(row) },
];

export const ALERT_COLUMNS: readonly Column[] = [
  field("id"),
  { title: "severity", value: (row) => textOf(row.severity).toLowerCase() },
  status,
  field("name"),
  field("startTime", "since"),
  { ...field("runbook"), wide: true },
  { ...field("acknowledgedBy", "taken on by"), wide: true },
  { ...field("muteUntilTime", "muted until"), wide: true },
  { ...field("note"), wide: true },
  field("summary"),
];

export const SPAN_COLUMNS: readonly Column[] = [
  field("spanId", "span"),
  field("parentSpanId", "parent"),
  field("service"),
  field("name"),
  field("startTime", "start"),
  field("duration"),
  field("failed"),
];
