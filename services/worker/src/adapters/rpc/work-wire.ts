import { create, fromJson, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { AttemptOutcome, Lease } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import {
  CompleteAttemptsRequestSchema,
  FailAttemptsRequestSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import type { AttemptResult, LeaseOutcome } from "../../application/ports.ts";
import type { Attempt } from "../../domain/attempt.ts";

type CompleteRequest = MessageInitShape<typeof CompleteAttemptsRequestSchema>;
type FailRequest = MessageInitShape<typeof FailAttemptsRequestSchema>;

/** Reads a lease. A timeout is in whole milliseconds: so does the engine keep it. */
export const attemptFromWire = (lease: Lease): Attempt => ({
  jobId: lease.jobId,
  leaseEpoch: lease.leaseEpoch,
  project: lease.project,
  task: lease.task,
  inputJson: lease.input === undefined ? undefined : toJsonString(ValueSchema, lease.input),
  attempt: lease.attempt,
  maxAttempts: lease.maxAttempts,
  timeoutMs: lease.timeout === undefined ? Number.POSITIVE_INFINITY : durationMs(lease.timeout),
  idempotencyKey: lease.idempotencyKey,
  correlationId: lease.correlationId,
  traceparent: lease.traceparent,
});

/** Reads what became of one lease; a reason of a newer release is UNKNOWN. */
export const outcomeFromWire = (outcome: AttemptOutcome): LeaseOutcome => ({
  jobId: outcome.jobId,
  leaseEpoch: outcome.leaseEpoch,
  ok: outcome.ok,
  reason: outcome.reason === undefined ? undefined : (Problem_Reason[outcome.reason] ?? "UNKNOWN"),
  cancelRequested: outcome.cancelRequested ?? false,
});

/** The successes among the results, as one message. */
export function completionsToWire(results: readonly AttemptResult[]): CompleteRequest {
  return create(CompleteAttemptsRequestSchema, {
    results: results.flatMap(({ jobId, leaseEpoch, end }) => {
      if (end.kind !== "succeeded") return [];
      if (end.outputJson === undefined) return [{ jobId, leaseEpoch }];
      return [{ jobId, leaseEpoch, output: fromJson(ValueSchema, JSON.parse(end.outputJson)) }];
    }),
  });
}

/** The failures and cancellations among the results, as one message. */
export function failuresToWire(results: readonly AttemptResult[]): FailRequest {
  return create(FailAttemptsRequestSchema, {
    results: results.flatMap(({ jobId, leaseEpoch, end }) => {
      if (end.kind === "succeeded") return [];
      const { type, message, retryable } = end.error;
      const error = { type, message: sendable(message), retryable };
      if (end.kind === "cancelled") return [{ jobId, leaseEpoch, error, cancelled: true }];
      if (end.retryAfterMs === undefined) return [{ jobId, leaseEpoch, error }];
      return [{ jobId, leaseEpoch, error, retryAfter: durationFromMs(end.retryAfterMs) }];
    }),
  });
}

/** A message may hold neither U+0000 nor half a character: one such result would cost the whole stream. */
function sendable(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}
