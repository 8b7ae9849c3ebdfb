import { create, fromBinary, fromJsonString, toBinary } from "@bufbuild/protobuf";
import {
  type Duration,
  durationFromMs,
  type Timestamp,
  timestampFromMs,
  type Value,
} from "@bufbuild/protobuf/wkt";
import {
  type EventEnvelope,
  EventEnvelopeSchema,
} from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import {
  type Job,
  type Job_Blocked,
  Job_Blocked_Reason,
  Job_BlockedSchema,
  Job_Status,
  type JobAttempt,
  JobAttempt_Status,
  JobAttemptSchema,
  JobErrorSchema,
  JobSchema,
  RetryPolicySchema,
  type JobError as WireError,
  type RetryPolicy as WirePolicy,
} from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type { PublishedEvent } from "@orrery/mesh/outbox/stored-events";
import { valueFrom } from "@orrery/mesh/transport/json-value";
import type { JobView } from "../../application/ports.ts";
import type { Blocked } from "../../domain/blocked.ts";
import type { Attempt, Job as DomainJob, JobError, RetryPolicy } from "../../domain/job.ts";
import { DEFAULT_RETRY_POLICY } from "../../domain/retry-schedule.ts";

const NANOS_PER_MS = 1_000_000;

/** Renders a job for its reader. */
export function jobToWire({ job, inputText, outputText, blocked }: JobView): Job {
  return jobMessage(job, {
    input: inputText === undefined ? undefined : valueFrom(inputText),
    output: outputText === undefined ? undefined : valueFrom(outputText),
    blocked: blocked === undefined ? undefined : blockedToWire(blocked),
  });
}

/** Renders a job with values that are messages already. */
export function jobMessage(
  job: DomainJob,
  more: { input?: Value | undefined; output?: Value | undefined; blocked?: Job_Blocked | undefined },
): Job {
  const message = create(JobSchema);
  message.id = job.id;
  message.project = job.project;
  message.task = job.task;
  message.queue = job.queue;
  message.status = Job_Status[job.status];
  message.version = job.version;
  message.priority = job.priority;
  message.attempt = job.attempt;
  message.maxAttempts = job.maxAttempts;
  message.timeout = durationFromMs(job.timeoutMs);
  message.retryPolicy =
    job.retryPolicy === DEFAULT_RETRY_POLICY ? DEFAULT_POLICY : policyToWire(job.retryPolicy);
  message.createTime = timestampFromMs(job.createMs);
  message.runTime = job.runMs === job.createMs ? message.createTime : timestampFromMs(job.runMs);
  if (job.startMs !== undefined) message.startTime = timestampFromMs(job.startMs);
  if (job.endMs !== undefined) message.endTime = timestampFromMs(job.endMs);
  if (job.expireMs !== undefined) message.expireTime = timestampFromMs(job.expireMs);
  message.labels = { ...job.labels };
  message.concurrencyKey = job.concurrencyKey;
  if (more.input !== undefined) message.input = more.input;
  if (more.output !== undefined) message.output = more.output;
  if (job.error !== undefined) message.error = errorToWire(job.error);
  if (more.blocked !== undefined) message.blocked = more.blocked;
  if (job.cancelRequestMs !== undefined) message.cancelRequestTime = timestampFromMs(job.cancelRequestMs);
  message.correlationId = job.correlationId;
  message.missionId = job.missionId;
  message.step = job.step;
  return message;
}

const policyToWire = (policy: RetryPolicy): WirePolicy =>
  create(RetryPolicySchema, {
    initialDelay: durationFromMs(policy.initialDelayMs),
    factor: policy.factor,
    maxDelay: durationFromMs(policy.maxDelayMs),
    jitter: policy.jitter,
  });

/** Shared by all answers, none of which changes it. */
const DEFAULT_POLICY = policyToWire(DEFAULT_RETRY_POLICY);

function blockedToWire({ reason, message, untilMs, position }: Blocked): Job_Blocked {
  return create(Job_BlockedSchema, {
    reason: Job_Blocked_Reason[reason],
    message,
    ...(untilMs === undefined ? {} : { until: timestampFromMs(untilMs) }),
    ...(position === undefined ? {} : { position }),
  });
}

/** Renders an attempt for whoever reads its job. */
export function attemptToWire(attempt: Attempt): JobAttempt {
  return create(JobAttemptSchema, {
    attempt: attempt.attempt,
    status: JobAttempt_Status[attempt.status],
    worker: attempt.worker,
    startTime: timestampFromMs(attempt.startMs),
    ...(attempt.endMs === undefined ? {} : { endTime: timestampFromMs(attempt.endMs) }),
    ...(attempt.error === undefined ? {} : { error: errorToWire(attempt.error) }),
  });
}

const errorToWire = ({ type, message, retryable }: JobError): WireError =>
  create(JobErrorSchema, { type, message, retryable });

/** The envelope as a message. Fields of a newer release are left out. */
export const eventToWire = ({ envelope }: PublishedEvent): EventEnvelope =>
  fromJsonString(EventEnvelopeSchema, envelope, { ignoreUnknownFields: true });

/** An answer as it is stored beside its idempotency key, and back. */
export const jobToBytes = (job: Job): Uint8Array => toBinary(JobSchema, job);
export const jobFromBytes = (bytes: Uint8Array): Job => fromBinary(JobSchema, bytes);

/** Milliseconds of a time or a span; what is finer is cut, where the library's own would round. */
export const msOf = (span: Pick<Duration | Timestamp, "seconds" | "nanos">): number =>
  Number(span.seconds) * 1000 + Math.floor(span.nanos / NANOS_PER_MS);
