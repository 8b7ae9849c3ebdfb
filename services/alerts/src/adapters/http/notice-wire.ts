import type { Severity } from "../../domain/alert-state.ts";
import type { Notice } from "../../domain/notice-decisions.ts";

/** What the notices of one webhook have in common, and where their ids come from. */
export interface NoticeFrame {
  readonly newId: () => string;
  readonly traceparent: string;
  /** The end of a resolved alert that comes without one, in epoch milliseconds. */
  readonly nowMs: number;
}

/** What a webhook told. */
export interface Told {
  readonly notices: readonly Notice[];
  /** Alerts that Alertmanager left out, which it does where `max_alerts` is set. */
  readonly leftOut: number;
}

/** A body that Alertmanager would not have written; the message names the part that is wrong. */
export class NoticeMalformed extends Error {
  override readonly name = "NoticeMalformed";
}

const VERSION = "4";
const LIMITS = { name: 200, summary: 1_024, description: 8_192, labels: 32, labelName: 128, labelValue: 256 };
const FINGERPRINT = /^[!-~]{1,128}$/;
const RUNBOOK = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
/** The last millisecond that a protobuf Timestamp has. */
const LAST_MS = 253_402_300_799_999;

/** Fields of their own, and what a tenant may have named: an alert is shown to every project. */
const NOT_LABELS = new Set(["alertname", "severity", "runbook", "queue", "project"]);

const SEVERITIES: ReadonlyMap<string | undefined, Severity> = new Map([
  ["critical", "CRITICAL"],
  ["warning", "WARNING"],
  ["info", "INFO"],
]);

/**
 * Reads a webhook of Alertmanager: version 4, which every release since 0.14 sends.
 *
 * @throws NoticeMalformed
 * @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 */
export function noticesFrom(body: Buffer, frame: NoticeFrame): Told {
  const webhook = record(parsed(body), "the body");
  if (webhook.version !== VERSION) throw new NoticeMalformed(`version is not "${VERSION}"`);
  if (!Array.isArray(webhook.alerts)) throw new NoticeMalformed("alerts is no list");
  const notices = webhook.alerts.map((alert: unknown, index) =>
    noticeFrom(record(alert, `alerts[${index}]`), `alerts[${index}]`, frame),
  );
  return { notices, leftOut: typeof webhook.truncatedAlerts === "number" ? webhook.truncatedAlerts : 0 };
}

/**
 * Reads the list of alerts that Alertmanager's own API gives, which holds all that are not over.
 *
 * @throws NoticeMalformed
 * @see https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml gettableAlerts
 */
export function listedNoticesFrom(body: Buffer, frame: NoticeFrame): readonly Notice[] {
  const listed = parsed(body);
  if (!Array.isArray(listed)) throw new NoticeMalformed("the body is no list");
  return listed.map((alert: unknown, index) =>
    noticeFrom({ ...record(alert, `[${index}]`), status: "firing" }, `[${index}]`, frame),
  );
}

type Fields = Readonly<Record<string, unknown>>;

function noticeFrom(alert: Fields, path: string, frame: NoticeFrame): Notice {
  const labels = texts(alert.labels, `${path}.labels`);
  const annotations = texts(alert.annotations, `${path}.annotations`);
  const { fingerprint } = alert;
  if (typeof fingerprint !== "string" || !FINGERPRINT.test(fingerprint))
    throw new NoticeMalformed(`${path}.fingerprint is none`);
  const id = frame.newId();
  return {
    id,
    fingerprint,
    name: cut(labels.get("alertname") ?? "unnamed", LIMITS.name),
    // What says nothing, or a word that is not ours, can wait for the morning and is not overlooked either.
    severity: SEVERITIES.get(labels.get("severity")) ?? "WARNING",
    summary: cut(annotations.get("summary") ?? "", LIMITS.summary),
    description: cut(annotations.get("description") ?? "", LIMITS.description),
    runbook: runbookOf(labels.get("runbook") ?? annotations.get("runbook")),
    labels: keptLabels(labels),
    startMs: time(alert.startsAt, `${path}.startsAt`),
    overMs: overMs(alert, path, frame),
    correlationId: id,
    traceparent: frame.traceparent,
  };
}

function overMs({ status, endsAt }: Fields, path: string, { nowMs }: NoticeFrame): number | undefined {
  if (status === "firing") return undefined;
  if (status !== "resolved") throw new NoticeMalformed(`${path}.status is neither firing nor resolved`);
  const endMs = typeof endsAt === "string" ? Date.parse(endsAt) : Number.NaN;
  return endMs >= 0 && endMs <= LAST_MS ? endMs : nowMs;
}

/** Names that begin with two underscores are Prometheus' own. */
function keptLabels(labels: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const kept = [...labels].filter(([name]) => !NOT_LABELS.has(name) && !name.startsWith("__"));
  return Object.fromEntries(
    kept
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, LIMITS.labels)
      .map(([name, value]) => [cut(name, LIMITS.labelName), cut(value, LIMITS.labelValue)] as const),
  );
}

/** The name of a runbook, also out of the path of its file. */
function runbookOf(text: string | undefined): string {
  const name = (text ?? "").split("/").at(-1)?.replace(/\.md$/, "") ?? "";
  return RUNBOOK.test(name) ? name : "";
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new NoticeMalformed("the body is no JSON", { cause });
  }
}

function record(value: unknown, path: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new NoticeMalformed(`${path} is no object`);
}

/** Alertmanager writes null where there are none. */
function texts(value: unknown, path: string): ReadonlyMap<string, string> {
  const entries = Object.entries(value === null || value === undefined ? {} : record(value, path));
  return new Map(
    entries.map(([name, text]) => {
      if (typeof text !== "string") throw new NoticeMalformed(`${path} holds more than texts`);
      return [storable(name), storable(text)] as const;
    }),
  );
}

function time(value: unknown, path: string): number {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (ms >= 0 && ms <= LAST_MS) return ms;
  throw new NoticeMalformed(`${path} is no time`);
}

/** What PostgreSQL's text cannot hold becomes the mark of a lost character, so that no alert is refused for it. */
const storable = (text: string): string => text.toWellFormed().replaceAll("\0", "\uFFFD");

const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`;
