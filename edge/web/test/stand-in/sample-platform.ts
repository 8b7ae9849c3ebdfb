import type { Alert, Answer, Queue, Span, Worker } from "../../src/api/contract.ts";
import { NOW_MS, sampleId, sampleJob } from "./sample-jobs.ts";
import { sampleMission } from "./sample-missions.ts";

const at = (secondsAgo: number): string => new Date(NOW_MS - secondsAgo * 1_000).toISOString();

/** How fresh every answer of the stand-in claims to be. */
export const FRESH = { asOf: at(0), lagMs: 140, complete: true } as const;

export const SAMPLE_ALERTS: readonly Alert[] = [
  {
    id: sampleId(1, "7d00"),
    name: "MissionNeedsAttention",
    severity: "CRITICAL",
    summary: "Two missions cannot go on by themselves.",
    startTime: at(310),
    status: "FIRING",
    version: 1,
    description:
      "A mission is in NEEDS_ATTENTION for more than a minute: an undo failed, or an outcome is not known.",
    runbook: "mission-needs-attention",
    labels: { service: "orchestrator" },
    acknowledgedBy: "",
    mutedBy: "",
    note: "",
  },
  {
    id: sampleId(2, "7d00"),
    name: "QueueBacklogGrowing",
    severity: "WARNING",
    summary: "Jobs wait longer and longer.",
    startTime: at(1_900),
    status: "ACKNOWLEDGED",
    version: 2,
    description: "",
    runbook: "queue-backlog-growing",
    labels: {},
    acknowledgedBy: "demo-all",
    acknowledgeTime: at(1_700),
    mutedBy: "",
    note: "encoders are being restarted",
  },
  {
    id: sampleId(3, "7d00"),
    name: "CertificateExpiring",
    severity: "INFO",
    summary: "A certificate ends within a day.",
    startTime: at(86_000),
    status: "MUTED",
    version: 2,
    description: "",
    runbook: "certificate-expiring",
    labels: { service: "gateway" },
    acknowledgedBy: "",
    mutedBy: "demo-all",
    muteUntilTime: at(-3_600),
    note: "",
  },
];

export const SAMPLE_QUEUES: readonly Queue[] = [
  queue(
    "media",
    { QUEUED: 133, RUNNING: 10, RETRYING: 4, SCHEDULED: 2 },
    { oldestWaitSeconds: 252, concurrency: 10 },
  ),
  queue("night", { QUEUED: 48 }, { paused: true, oldestWaitSeconds: 96 }),
  queue("default", { QUEUED: 3, RUNNING: 21 }, { oldestWaitSeconds: 2 }),
  queue("mail", { RUNNING: 2, RETRYING: 7 }, { rate: { limit: 100, period: "1s" } }),
  queue("reports", { SCHEDULED: 12 }, { concurrencyPerKey: 1 }),
];

function queue(name: string, depth: Record<string, number>, about: Partial<Queue>): Queue {
  return { name, depth, paused: false, oldestWaitSeconds: 0, concurrency: 0, concurrencyPerKey: 0, ...about };
}

/** Workers that were heard of just now, but for one. */
export const sampleWorkers = (): readonly Worker[] => [
  worker("encoder-1", { tasks: ["video.render"], queues: ["media"], slots: 8, leases: 8 }),
  worker("encoder-2", { tasks: ["video.render"], queues: ["media"], slots: 8, leases: 2, draining: true }),
  worker("worker-0", {
    tasks: ["orrery.echo", "orrery.sleep", "orrery.fail", "orrery.http"],
    slots: 16,
    leases: 0,
  }),
  worker("mailer", {
    tasks: ["mail.send"],
    queues: ["mail", "bulk"],
    slots: 0,
    leases: 3,
    lastSeenTime: heard(21),
  }),
];

const heard = (secondsAgo: number): string => new Date(Date.now() - secondsAgo * 1_000).toISOString();

function worker(name: string, about: Partial<Worker>): Worker {
  return {
    worker: name,
    tasks: [],
    queues: [],
    slots: 0,
    leases: 0,
    draining: false,
    lastSeenTime: heard(2),
    ...about,
  };
}

export const SAMPLE_OVERVIEW: Answer<"getOverview"> = {
  project: "demo",
  health:
    "Degraded: 33 running, 6.2 % of the last hour's jobs failed, the longest wait is 4 minutes in queue media.",
  jobs: {
    SCHEDULED: 14,
    QUEUED: 184,
    RUNNING: 33,
    RETRYING: 11,
    SUCCEEDED: 128_204,
    FAILED: 412,
    CANCELLED: 20,
    EXPIRED: 3,
  },
  totalJobs: 128_881,
  queues: SAMPLE_QUEUES.map(({ name, paused, depth, oldestWaitSeconds }) => ({
    name,
    paused,
    depth,
    oldestWaitSeconds,
  })),
  workers: 4,
  failures: [
    failure("video.render", "EncoderTimeout", 301, 12),
    failure("mail.send", "UpstreamRefused", 84, 140),
    failure("report.build", "TIMEOUT", 27, 3_900),
  ],
  recentJobs: Array.from({ length: 12 }, (_, n) => sampleJob(n)),
  alerts: SAMPLE_ALERTS,
  readModel: "embedded",
  ...FRESH,
  missions: { RUNNING: 4, NEEDS_ATTENTION: 2, SUCCEEDED: 611, COMPENSATED: 12 },
  attentionMissions: [sampleMission(1), sampleMission(7)],
};

function failure(task: string, errorType: string, count: number, secondsAgo: number) {
  return {
    task,
    errorType,
    count,
    lastSeenTime: at(secondsAgo),
    q: `status:failed task:${task} error.type:${errorType}`,
  };
}

export const SAMPLE_METRICS: Answer<"getMetrics"> = {
  figures: [
    figure("jobs_submitted_last_minute", "jobs", 1_312),
    figure("jobs_started_last_minute", "jobs", 1_240),
    figure("jobs_finished_last_minute", "jobs", 1_204),
    figure("jobs_failed_last_minute", "jobs", 31),
    figure("failing_ratio_last_hour", "ratio", 0.062),
    figure("jobs_running", "jobs", 33),
    figure("jobs_waiting", "jobs", 209),
    figure("projection_lag", "milliseconds", 140),
  ],
  asOf: FRESH.asOf,
  lagMs: FRESH.lagMs,
};

function figure(name: string, unit: string, value: number) {
  return { name, description: name.replaceAll("_", " "), unit, value };
}

const SPANS: readonly (readonly [string, string, string, number, number])[] = [
  ["POST /v1/jobs", "gateway", "", 0, 14.2],
  ["jobs.submit", "gateway", "0", 1.1, 12.2],
  ["JobsService/SubmitJobs", "jobs", "1", 2.3, 10.1],
  ["postgres insert job", "jobs", "2", 3.2, 6.4],
  ["outbox relay", "jobs", "2", 14.8, 5.1],
  ["jetstream publish", "jobs", "4", 16.1, 2.9],
  ["project JobQueued", "observatory", "5", 21.0, 7.7],
  ["work.lease", "jobs", "2", 31.5, 4.2],
  ["orrery.sleep", "worker", "7", 36.4, 120.5],
  ["work.complete", "jobs", "8", 157.6, 8.8],
  ["project JobSucceeded", "observatory", "9", 171.3, 6.1],
];

export const SAMPLE_SPANS: readonly Span[] = SPANS.map(([name, service, parent, startMs, tookMs], index) => ({
  spanId: (index + 1).toString(16).padStart(16, "0"),
  parentSpanId: parent === "" ? "" : (Number(parent) + 1).toString(16).padStart(16, "0"),
  name,
  service,
  startTime: new Date(NOW_MS - 60_000 + startMs).toISOString(),
  duration: `${(tookMs / 1_000).toFixed(6)}s`,
  failed: index === 8,
  attributes: { "rpc.system": "grpc" },
}));

export const SAMPLE_RUNBOOK = `# A mission needs attention

Raised by **MissionNeedsAttention** (critical): a mission cannot go on by itself.

## Check

\`\`\`
npx orrery mission ls -q 'status:needs_attention'
\`\`\`

- An undo that failed: see its job, and [lease-losses-high](lease-losses-high.md).
- An outcome that nobody knows: ask the system that it was done in.

## Action

1. Mend what the undo calls, then retry the mission.
2. Where it was settled by hand, resolve the step and say so in the note.
`;
