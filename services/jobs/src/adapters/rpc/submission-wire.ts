import { create } from "@bufbuild/protobuf";
import type { Duration, Value } from "@bufbuild/protobuf/wkt";
import type { RetryPolicy as WirePolicy } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import {
  type SubmitJobRequest,
  SubmitJobRequestSchema,
  type SubmitOutcome,
  SubmitOutcomeSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import { problemFrom } from "@orrery/mesh/fault/wire";
import { keyedRequest } from "@orrery/mesh/idempotency/keys";
import { jsonText } from "@orrery/mesh/transport/json-value";
import { validateMessage } from "@orrery/mesh/transport/validation";
import type { Caller } from "../../application/ports.ts";
import type { SubmitItem, Submitted } from "../../application/submit-jobs.ts";
import type { RetryPolicy } from "../../domain/job.ts";
import { DEFAULT_RETRY_POLICY } from "../../domain/retry-schedule.ts";
import type { Submission } from "../../domain/submission.ts";
import { jobFromBytes, jobMessage, msOf } from "./job-wire.ts";
import { isPlainSubmission } from "./submission-check.ts";
import { VALUE_LIMITS } from "./value-limits.ts";

const DEFAULT_QUEUE = "default";
const DEFAULT_MAX_ATTEMPTS = 5;
const DEFAULT_TIMEOUT_MS = 600_000;
/** Items of batches share the scope of the single submission. */
const SUBMIT_ROUTE = "SubmitJob";

/**
 * Reads one submission, holding it against its rules.
 *
 * @param path - where it stands in the request, as in `jobs[3]`; empty for a request of its own
 * @param limits - what its input is held to; 192 KiB of JSON and 32 levels unless said
 * @returns what to submit, or why not, with the fields at fault
 */
export function submissionFromWire(
  request: SubmitJobRequest,
  caller: Caller,
  path: string,
  limits = VALUE_LIMITS,
): SubmitItem | Fault {
  const fieldViolations = isPlainSubmission(request)
    ? []
    : validateMessage(SubmitJobRequestSchema, request, path);
  const [first] = fieldViolations;
  if (first !== undefined) {
    const detail = `${first.field === "" ? "" : `${first.field}: `}${first.description}`;
    return new Fault("INVALID_REQUEST", { detail, fieldViolations });
  }
  try {
    return {
      submission: submissionOf(request, caller),
      principal: caller.principal,
      inputText: jsonText(request.input, { field: fieldAt(path, "input"), ...limits }),
      keyed: keyedRequest(SUBMIT_ROUTE, SubmitJobRequestSchema, request, caller.project, path),
    };
  } catch (failure) {
    if (failure instanceof Fault) return failure;
    throw failure;
  }
}

function submissionOf(request: SubmitJobRequest, caller: Caller): Submission {
  return {
    project: caller.project,
    task: request.task,
    queue: request.queue ?? DEFAULT_QUEUE,
    priority: request.priority,
    maxAttempts: request.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
    timeoutMs: request.timeout === undefined ? DEFAULT_TIMEOUT_MS : msOf(request.timeout),
    retryPolicy: policyFrom(request.retryPolicy),
    start: startOf(request),
    expireMs: request.expireTime === undefined ? undefined : msOf(request.expireTime),
    labels: request.labels,
    concurrencyKey: request.concurrencyKey,
    correlationId: caller.correlationId,
    traceparent: caller.traceparent,
    missionId: "",
    step: "",
  };
}

function startOf({ runTime, delay }: SubmitJobRequest): Submission["start"] {
  if (runTime !== undefined) return { atMs: msOf(runTime) };
  return delay === undefined ? "now" : { afterMs: msOf(delay) };
}

function policyFrom(policy: WirePolicy | undefined): RetryPolicy {
  if (policy === undefined) return DEFAULT_RETRY_POLICY;
  const msOr = (span: Duration | undefined, otherwise: number): number =>
    span === undefined ? otherwise : msOf(span);
  return {
    initialDelayMs: msOr(policy.initialDelay, DEFAULT_RETRY_POLICY.initialDelayMs),
    factor: policy.factor ?? DEFAULT_RETRY_POLICY.factor,
    maxDelayMs: msOr(policy.maxDelay, DEFAULT_RETRY_POLICY.maxDelayMs),
    jitter: policy.jitter ?? DEFAULT_RETRY_POLICY.jitter,
  };
}

/**
 * Renders what became of one item.
 *
 * @param request - its input goes into the answer, as answers are stored without it
 */
export function submittedToWire(
  submitted: Submitted,
  { input }: { readonly input?: Value | undefined },
): { job: ReturnType<typeof jobMessage>; replayed: boolean } {
  if ("job" in submitted) return { job: jobMessage(submitted.job, { input }), replayed: false };
  const job = jobFromBytes(submitted.replay);
  if (input !== undefined) job.input = input;
  return { job, replayed: true };
}

/** Renders one outcome among others, with the request's input. */
export function outcomeToWire(
  result: Submitted | Fault,
  request: { readonly input?: Value | undefined },
  about: { instance: string; traceId: string },
): SubmitOutcome {
  if (result instanceof Fault) {
    const value = problemFrom(result, { edge: "", ...about });
    return create(SubmitOutcomeSchema, { result: { case: "error", value } });
  }
  const { job, replayed } = submittedToWire(result, request);
  const outcome = create(SubmitOutcomeSchema);
  outcome.result = { case: "job", value: job };
  if (replayed) outcome.replayed = true;
  return outcome;
}

const fieldAt = (path: string, field: string): string => (path === "" ? field : `${path}.${field}`);
