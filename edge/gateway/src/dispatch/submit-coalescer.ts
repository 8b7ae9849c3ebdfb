import { create, toBinary } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import {
  CallerContextSchema,
  JobsService,
  type SubmitJobRequest,
  SubmitJobRequestSchema,
  type SubmitJobResponse,
  SubmitJobResponseSchema,
  type SubmitJobsRequest_Item,
  SubmitJobsRequest_ItemSchema,
  SubmitJobsRequestSchema,
  type SubmitOutcome,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { createBatcher } from "@orrery/mesh/batching/batcher";
import { Fault } from "@orrery/mesh/fault/fault";
import { ATTR } from "@orrery/mesh/telemetry/attributes";
import { isTraced, openItemSpan } from "@orrery/mesh/telemetry/item-span";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import { inDroppedTrace, newTraceparent } from "@orrery/mesh/telemetry/trace";
import type { Clock } from "@orrery/mesh/time/clock";
import { inTime } from "@orrery/mesh/time/in-time";
import { callHeaders } from "@orrery/mesh/transport/call";
import { VALUE_GROWTH } from "@orrery/mesh/transport/json-value";
import { LIMITS } from "../http/limits.ts";
import { type EdgeCall, outOfTime } from "./edge-call.ts";
import { faultFromProblem } from "./outcome-problem.ts";

/** Submits single jobs, many callers at a time. */
export interface SubmitCoalescer {
  /**
   * Submits one job for one caller. A caller that goes away does not take it back: it may be in a batch with
   * others.
   *
   * @throws Fault with the item's own refusal · DEPENDENCY_UNAVAILABLE within 2 s of the call · DEADLINE_EXCEEDED
   * within the caller's own deadline, where the job may have been taken all the same · OVERLOADED
   */
  submit(job: SubmitJobRequest, call: SubmissionCall): Promise<SubmitJobResponse>;
  close(): Promise<void>;
}

type SubmissionCall = Pick<EdgeCall, "caller" | "correlationId" | "traceparent" | "bodyBytes" | "timeoutMs">;

const SPAN = `${JobsService.typeName}/${JobsService.method.submitJobs.name}`;
const openSpan = ({ caller, traceparent }: SubmissionCall) =>
  openItemSpan(traceparent, SPAN, { kind: "client", attributes: { [ATTR.PROJECT]: caller.project } });

interface Submission {
  readonly item: SubmitJobsRequest_Item;
  readonly bytes: number;
  /** When its caller gives up, by the monotonic clock. */
  readonly expiresMs: number;
  /** When its batch has to be answered, likewise. The caller's deadline may be shorter, and binds nobody else. */
  readonly answerByMs: number;
}

/**
 * A JSON body of this size weighs little whatever is in it, so that its exact size in protobuf is not worth
 * knowing.
 */
const SMALL_BODY_BYTES = 4_096;

/**
 * Joins submissions that arrive while others are under way into one `SubmitJobs` call, two calls for each
 * replica of the jobs service at most. A lone submission goes out at once. (A
 * unary call for each job costs more than all of its work in the database.)
 */
export function createSubmitCoalescer(options: {
  jobs: Transport;
  /** How many replicas of the jobs service there are. */
  replicas: number;
  clock: Clock;
  metrics?: Metrics;
}): SubmitCoalescer {
  const batcher = createBatcher<Submission, SubmitJobResponse>({
    name: "submit_jobs",
    maxItems: LIMITS.batchSubmissions,
    maxInFlight: 2 * options.replicas,
    maxQueued: LIMITS.queuedSubmissions,
    metrics: options.metrics,
    weigh: (submission) => submission.bytes,
    maxWeight: LIMITS.batchBytes,
    run: (submissions) => submitBatch(options, submissions),
  });
  return {
    submit: (job, call) => {
      const nowMs = options.clock.monotonicMs();
      const limitMs = Math.min(LIMITS.submitMs, call.timeoutMs ?? LIMITS.submitMs);
      // The call is made for many: each sees its own part of it.
      const span = isTraced(call.traceparent) ? openSpan(call) : undefined;
      const submitted = batcher.submit({
        item: itemOf(job, span === undefined ? call : { ...call, traceparent: span.traceparent }),
        bytes: bytesOf(job, call.bodyBytes),
        expiresMs: nowMs + limitMs,
        answerByMs: nowMs + LIMITS.submitMs,
      });
      if (span !== undefined) {
        submitted.then(
          () => span.end(),
          () => span.end({ failed: true }),
        );
      }
      return limitMs < LIMITS.submitMs ? within(limitMs, submitted) : submitted;
    },
    close: () => batcher.close(),
  };
}

/** The answer, where it comes in the caller's own time; its batch goes on for the others. */
async function within<T>(limitMs: number, answer: Promise<T>): Promise<T> {
  const first = await inTime(answer, limitMs);
  if (first === undefined) throw outOfTime();
  return first.answer;
}

/**
 * One call for many. Its deadline is that of the submission which has waited longest; a caller's shorter one is kept by
 * `within`. One whose caller has too little time left is not sent, so that no work is begun that nobody waits for.
 */
async function submitBatch(
  { jobs, clock }: { jobs: Transport; clock: Clock },
  submissions: readonly Submission[],
): Promise<readonly (SubmitJobResponse | Error)[]> {
  const nowMs = clock.monotonicMs();
  const timely = submissions.filter(({ expiresMs }) => expiresMs - nowMs >= LIMITS.submitFloorMs);
  const outcomes = timely.length === 0 ? [] : await callJobs(jobs, timely, nowMs);
  let next = 0;
  return submissions.map((submission) => {
    if (submission.expiresMs - nowMs < LIMITS.submitFloorMs) return tooLate(submission);
    const outcome = outcomes[next];
    next += 1;
    return outcome === undefined ? missingOutcome() : resultOf(outcome, submission.item.job);
  });
}

async function callJobs(
  jobs: Transport,
  submissions: readonly Submission[],
  nowMs: number,
): Promise<readonly SubmitOutcome[]> {
  // The first has waited longest.
  const timeoutMs = Math.floor((submissions[0]?.answerByMs ?? nowMs) - nowMs);
  // The batch has a trace of its own; each item carries its caller's, which the job goes on with.
  const headers = callHeaders({
    correlationId: submissions[0]?.item.caller?.correlationId ?? "",
    traceparent: newTraceparent(),
  });
  const request = create(SubmitJobsRequestSchema, { items: submissions.map(({ item }) => item) });
  // Each item has a span of its own: the call for all of them would spend a trace that nobody asked for.
  const { message } = await inDroppedTrace(undefined, () =>
    jobs.unary(JobsService.method.submitJobs, undefined, timeoutMs, headers, request),
  );
  return message.outcomes;
}

/** The answer to one submission. Its input does not travel back: it is the one that came in, here. */
function resultOf(
  { result, replayed }: SubmitOutcome,
  submitted: SubmitJobRequest | undefined,
): SubmitJobResponse | Fault {
  if (result.case === "error") return faultFromProblem(result.value);
  if (result.case === undefined) return missingOutcome();
  const answer = create(SubmitJobResponseSchema);
  answer.job = result.value;
  if (submitted?.input !== undefined) answer.job.input = submitted.input;
  answer.replayed = replayed ?? false;
  return answer;
}

function itemOf(job: SubmitJobRequest, call: SubmissionCall): SubmitJobsRequest_Item {
  const context = create(CallerContextSchema);
  context.project = call.caller.project;
  context.principal = call.caller.id;
  context.scopes = [...call.caller.scopes];
  context.correlationId = call.correlationId;
  context.traceparent = call.traceparent;
  const item = create(SubmitJobsRequest_ItemSchema);
  item.job = job;
  item.caller = context;
  return item;
}

function bytesOf(job: SubmitJobRequest, bodyBytes: number | undefined): number {
  if (bodyBytes !== undefined && bodyBytes <= SMALL_BODY_BYTES) return bodyBytes * VALUE_GROWTH;
  return toBinary(SubmitJobRequestSchema, job).length;
}

function tooLate({ expiresMs, answerByMs }: Submission): Fault {
  if (expiresMs < answerByMs) return outOfTime();
  return new Fault("DEPENDENCY_UNAVAILABLE", {
    detail: "The jobs service did not take the job in time.",
    retryAfterMs: 1_000,
  });
}

function missingOutcome(): Fault {
  return new Fault("INTERNAL", { detail: "The jobs service did not say what became of the job." });
}
