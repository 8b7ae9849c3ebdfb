import { uuidAt } from "./projection-factory.ts";

/**
 * The JSON of an event about a job, as the jobs service publishes it; `told` replaces fields of the envelope.
 */
export function eventText(
  about: { id: string; version: number; name: string; timeMs: number; project?: string },
  job: Record<string, unknown> = {},
  more: { attempt?: unknown; told?: Record<string, unknown> } = {},
): string {
  const { id, version, name, timeMs, project = "demo" } = about;
  const number = Number.parseInt(id.slice(-12), 16);
  return JSON.stringify({
    contractVersion: "1.0.0",
    version: "1.0.0",
    eventType: `orrery.events.v1.jobs.${name}`,
    eventId: uuidAt(timeMs, number * 1_000 + version),
    occurredAt: new Date(timeMs).toISOString(),
    producer: { service: "jobs", instanceId: "jobs-0", version: "0.1.0" },
    aggregateId: id,
    aggregateVersion: version,
    correlationId: "c-1",
    idempotencyKey: `${id}:${version}`,
    projectId: project,
    payload: {
      job: {
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
      },
      ...(more.attempt === undefined ? {} : { attempt: more.attempt }),
    },
    ...more.told,
  });
}
