import { uuidAt } from "./projection-factory.ts";

/** What every event says of itself. */
export interface AboutEvent {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly timeMs: number;
  readonly project?: string;
}

function envelopeText(
  context: string,
  about: AboutEvent,
  payload: Record<string, unknown>,
  told: Record<string, unknown>,
): string {
  const { id, version, name, timeMs, project = "demo" } = about;
  const number = Number.parseInt(id.slice(-12), 16);
  return JSON.stringify({
    contractVersion: "1.0.0",
    version: "1.0.0",
    eventType: `orrery.events.v1.${context}.${name}`,
    eventId: uuidAt(timeMs, number * 1_000 + version),
    occurredAt: new Date(timeMs).toISOString(),
    producer: { service: context, instanceId: `${context}-0`, version: "0.1.0" },
    aggregateId: id,
    aggregateVersion: version,
    correlationId: "c-1",
    idempotencyKey: `${id}:${version}`,
    projectId: project,
    payload,
    ...told,
  });
}

/**
 * The JSON of an event about a job, as the jobs service publishes it; `told` replaces fields of the envelope.
 */
export function eventText(
  about: AboutEvent,
  job: Record<string, unknown> = {},
  more: { attempt?: unknown; told?: Record<string, unknown> } = {},
): string {
  const { id, version, timeMs, project = "demo" } = about;
  const after = {
    id,
    project,
    task: "video.render",
    queue: "default",
    status: "QUEUED",
    version,
    attempt: 0,
    maxAttempts: 5,
    createTime: new Date(timeMs).toISOString(),
    labels: {},
    correlationId: "c-1",
    ...job,
  };
  const { attempt, told = {} } = more;
  return envelopeText("jobs", about, { job: after, ...(attempt === undefined ? {} : { attempt }) }, told);
}

/** The JSON of an event about a mission, as the orchestrator publishes it. */
export function missionText(
  about: AboutEvent,
  mission: Record<string, unknown> = {},
  step = "",
  told: Record<string, unknown> = {},
): string {
  const { id, version, timeMs, project = "demo" } = about;
  const after = {
    id,
    project,
    name: "book-trip",
    status: "RUNNING",
    version,
    createTime: new Date(timeMs).toISOString(),
    steps: [{ name: "reserve", status: "PENDING", task: "hotel.reserve" }],
    ...mission,
  };
  return envelopeText("orchestrator", about, { mission: after, step }, told);
}

/** The JSON of an event about an alert, as the alerts service publishes it. */
export function alertText(about: AboutEvent, alert: Record<string, unknown> = {}): string {
  const { id, version, timeMs } = about;
  const after = {
    id,
    name: "ServiceDown",
    severity: "WARNING",
    summary: "jobs does not answer",
    status: "FIRING",
    version,
    startTime: new Date(timeMs).toISOString(),
    ...alert,
  };
  return envelopeText("alerts", { project: "_platform", ...about }, { alert: after }, {});
}
