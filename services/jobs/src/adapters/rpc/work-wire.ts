import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AttemptOutcome,
  AttemptOutcomeSchema,
  type CompleteAttemptsRequest_Result,
  type FailAttemptsRequest_Result,
  type Lease,
  type LeaseRef,
  LeaseSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { cutText } from "@orrery/mesh/transport/answer-size";
import { jsonText, valueFrom } from "@orrery/mesh/transport/json-value";
import type { Beat, Grant, WorkCaller } from "../../application/ports.ts";
import type { Report, ReportOutcome } from "../../application/report-attempts.ts";
import type { JobError } from "../../domain/job.ts";
import { msOf } from "./job-wire.ts";
import { VALUE_LIMITS } from "./value-limits.ts";

const DEFAULT_ERROR_TYPE = "ERROR";
/** How much of an error's message is kept, in bytes of UTF-8. */
const MESSAGE_LIMIT_BYTES = 8 * 1024;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Renders a grant for the worker that got it. */
export function leaseToWire({ job, inputText, leaseExpireMs }: Grant): Lease {
  const message = create(LeaseSchema);
  message.jobId = job.id;
  message.leaseEpoch = job.attempt;
  message.task = job.task;
  message.queue = job.queue;
  if (inputText !== undefined) message.input = valueFrom(inputText);
  message.attempt = job.attempt;
  message.maxAttempts = job.maxAttempts;
  message.labels = { ...job.labels };
  message.correlationId = job.correlationId;
  message.traceparent = job.traceparent;
  message.idempotencyKey = job.id;
  message.leaseExpireTime = timestampFromMs(leaseExpireMs);
  if (job.expireMs !== undefined) message.expireTime = timestampFromMs(job.expireMs);
  message.timeout = durationFromMs(job.timeoutMs);
  message.project = job.project;
  return message;
}

/** Reads a success. @throws Fault `BODY_TOO_LARGE`, `INVALID_REQUEST` for an output over its limits, by its path */
export function completionFromWire(
  result: CompleteAttemptsRequest_Result,
  by: WorkCaller,
  path: string,
): Report {
  const outputText = jsonText(result.output, { field: `${path}.output`, ...VALUE_LIMITS });
  return {
    jobId: idOf(result.jobId),
    epoch: result.leaseEpoch,
    word: { kind: "complete" },
    digest: outputText === undefined ? SILENT_SUCCESS : digest("complete", outputText),
    by,
    outputText,
  };
}

/** Reads a failure, or the word that the attempt was cancelled. */
export function failureFromWire(result: FailAttemptsRequest_Result, by: WorkCaller): Report {
  const error = errorFrom(result.error);
  const retryAfterMs = result.retryAfter === undefined ? undefined : msOf(result.retryAfter);
  return {
    jobId: idOf(result.jobId),
    epoch: result.leaseEpoch,
    word: { kind: "fail", error, retryAfterMs, cancelled: result.cancelled },
    digest: digest(result.cancelled ? "cancelled" : "fail", JSON.stringify([error, retryAfterMs ?? null])),
    by,
    outputText: undefined,
  };
}

/** Reads a lease that is given back. */
export const releaseFromWire = ({ jobId, leaseEpoch }: LeaseRef, by: WorkCaller): Report => ({
  jobId: idOf(jobId),
  epoch: leaseEpoch,
  word: { kind: "release" },
  digest: "release",
  by,
  outputText: undefined,
});

/** Renders what became of a report. */
export function reportToWire(
  { jobId, leaseEpoch }: { jobId: string; leaseEpoch: number },
  outcome: ReportOutcome,
): AttemptOutcome {
  const message = create(AttemptOutcomeSchema);
  message.jobId = jobId;
  message.leaseEpoch = leaseEpoch;
  message.ok = outcome.ok;
  if (!outcome.ok) message.reason = Problem_Reason[outcome.reason];
  else if (outcome.replayed) message.replayed = true;
  return message;
}

/** Renders what became of a heartbeat. */
export function beatToWire({ jobId, leaseEpoch }: LeaseRef, beat: Beat): AttemptOutcome {
  if (!beat.ok)
    return create(AttemptOutcomeSchema, {
      jobId,
      leaseEpoch,
      ok: false,
      reason: Problem_Reason[beat.reason],
    });
  return create(AttemptOutcomeSchema, {
    jobId,
    leaseEpoch,
    ok: true,
    leaseExpireTime: timestampFromMs(beat.leaseExpireMs),
    ...(beat.cancelRequested ? { cancelRequested: true } : {}),
  });
}

/**
 * An id that cannot be one names no job: it gets NOT_FOUND like any other that is unknown, beside its
 * neighbours.
 */
export const idOf = (id: string): string => (UUID.test(id) ? id.toLowerCase() : NO_ID);
const NO_ID = "00000000-0000-0000-0000-000000000000";

function errorFrom(error: FailAttemptsRequest_Result["error"]): JobError {
  return {
    type: error === undefined || error.type === "" ? DEFAULT_ERROR_TYPE : error.type,
    message: cutText(error?.message ?? "", MESSAGE_LIMIT_BYTES),
    retryable: error?.retryable ?? true,
  };
}

const digest = (kind: string, said: string): string =>
  createHash("sha256").update(`${kind} ${said}`).digest("base64url");

const SILENT_SUCCESS = digest("complete", "");
