import type { Attempt, Envelope, Job } from "../../src/api/contract.ts";
import { hasEnded, JOB_STATUSES } from "../../src/domain/status-look.ts";

/** Times of the samples count from here, so that "12 s ago" is what the page says. */
export const NOW_MS = Date.now();

const at = (secondsAgo: number): string => new Date(NOW_MS - secondsAgo * 1_000).toISOString();

/** An id that sorts by its number, in the form of a UUIDv7. */
export const sampleId = (n: number, kind = "7000"): string =>
  `01a1fde2-${(0xffff - (n & 0xffff)).toString(16).padStart(4, "0")}-${kind}-a887-${n.toString(16).padStart(12, "0")}`;

const TASKS = [
  "order.confirm",
  "video.render",
  "mail.send",
  "report.build",
  "orrery.sleep",
  "search.reindex",
];
const QUEUES = ["default", "media", "mail", "reports", "default", "bulk"];
const ERRORS = [
  {
    type: "EncoderTimeout",
    message: "the encoder gave no frame for 60 s (profile h265-main, segment 14 of 88)",
  },
  { type: "UpstreamRefused", message: "mail gateway answers 502" },
  { type: "TIMEOUT", message: "the attempt took longer than 600s" },
] as const;

const BLOCKED = {
  SCHEDULED: { reason: "SCHEDULED", message: "Runs at its runTime, in 4 minutes." },
  QUEUED: {
    reason: "NO_WORKER",
    message: 'No live worker serves task "video.render" in queue "media": start one, or look why it is away.',
  },
  RETRYING: {
    reason: "RETRY_BACKOFF",
    message: "Attempt 2 of 5 failed; the next one begins when its backoff is over.",
  },
} as const;

/** The nth newest job; every status is among any eight neighbours. */
export function sampleJob(n: number): Job {
  const status = JOB_STATUSES[(n * 5) % JOB_STATUSES.length] ?? "QUEUED";
  const task = TASKS[n % TASKS.length] ?? "mail.send";
  const error = ERRORS[n % ERRORS.length];
  const started = !["SCHEDULED", "QUEUED"].includes(status);
  const blocked = Object.hasOwn(BLOCKED, status) ? BLOCKED[status as keyof typeof BLOCKED] : undefined;
  const failed = status === "FAILED" || status === "RETRYING";
  return {
    id: sampleId(n),
    project: "demo",
    task: status === "QUEUED" ? "video.render" : task,
    queue: status === "QUEUED" ? "media" : (QUEUES[n % QUEUES.length] ?? "default"),
    status,
    version: 3,
    priority: n % 4,
    attempt: started ? 1 + (n % 3) : 0,
    maxAttempts: 5,
    timeout: "600s",
    retryPolicy: { initialDelay: "1s", factor: 2, maxDelay: "300s", jitter: 0.2 },
    createTime: at(6 + n * 7),
    runTime: at(6 + n * 7),
    ...(started && { startTime: at(4 + n * 6) }),
    ...(hasEnded(status) && { endTime: at(2 + n * 5) }),
    labels: {
      team: ["billing", "search", "media", "mail"][n % 4] ?? "mail",
      region: ["eu", "us", "ap"][n % 3] ?? "eu",
    },
    concurrencyKey: "",
    ...(failed && error && { error }),
    ...(blocked && { blocked: { ...blocked, until: at(-240) } }),
    correlationId: sampleId(n, "7c00"),
    missionId: "",
    step: "",
  };
}

/** The job that is opened: it failed twice and then succeeded, with everything that there can be to see. */
export function detailedJob(job: Job): Job {
  return {
    ...job,
    input: {
      order: 4711,
      customer: { id: "c-1932", name: "Ada Lovelace", address: { city: "London", zip: "NW1" } },
      items: [
        { sku: "A-100", count: 2, price: 19.99 },
        { sku: "B-207", count: 1, price: 5 },
      ],
      express: true,
      note: null,
    },
    ...(job.status === "SUCCEEDED" && {
      output: { confirmed: true, reference: "R-88120", sent: ["mail", "push"] },
    }),
  };
}

/** Attempts that fit a job. */
export function sampleAttempts(job: Job): readonly Attempt[] {
  return Array.from({ length: job.attempt }, (_, index): Attempt => {
    const last = index === job.attempt - 1;
    const createdMs = Date.parse(job.createTime ?? "");
    const from = createdMs + 800 + index * 3_400;
    const status = !last ? "FAILED" : job.status === "RETRYING" ? "FAILED" : job.status;
    const open = last && job.status === "RUNNING";
    return {
      attempt: index + 1,
      status: status as Attempt["status"],
      worker: `worker-${index}`,
      startTime: new Date(from).toISOString(),
      ...(!open && { endTime: new Date(from + 1_300 + index * 400).toISOString() }),
      ...(status === "FAILED" && { error: { type: "UpstreamRefused", message: "mail gateway answers 502" } }),
    };
  });
}

/** An event as the edge sends it. */
export function sampleEvent(name: string, payload: object, about: { id: string; version: number }): Envelope {
  return {
    contractVersion: "1.0.0",
    version: "1.0.0",
    eventType: `orrery.events.v1.${name.startsWith("Mission") ? "orchestrator" : "jobs"}.${name}`,
    eventId: sampleId(about.version, "7e00").replace("01a1fde2", about.id.slice(0, 8)),
    occurredAt: at(30 - about.version * 4),
    producer: { service: "jobs", instanceId: "jobs-0", version: "0.1.0" },
    aggregateId: about.id,
    aggregateVersion: about.version,
    correlationId: sampleId(1, "7c00"),
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    idempotencyKey: `${about.id}:${about.version}`,
    projectId: "demo",
    payload: payload as never,
  };
}

const begun = (attempt: Attempt | undefined) =>
  attempt && { ...attempt, endTime: undefined, error: undefined };

/** The history of a job whose first attempt failed. */
export function sampleHistory(job: Job): readonly Envelope[] {
  const [first, second] = sampleAttempts({ ...job, attempt: 2 });
  const steps = [
    ["JobQueued", { job: { ...job, status: "QUEUED", version: 1 } }],
    ["JobStarted", { job: { ...job, status: "RUNNING", version: 2 }, attempt: begun(first) }],
    ["JobRetrying", { job: { ...job, status: "RETRYING", version: 3 }, attempt: first }],
    ["JobQueued", { job: { ...job, status: "QUEUED", version: 4 } }],
    ["JobStarted", { job: { ...job, status: "RUNNING", version: 5 }, attempt: begun(second) }],
  ] as const;
  return steps.map(([name, payload], index) =>
    sampleEvent(name, payload, { id: job.id, version: index + 1 }),
  );
}
