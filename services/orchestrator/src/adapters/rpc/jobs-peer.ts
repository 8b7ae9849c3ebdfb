import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import {
  type Job,
  Job_Status,
  type JobAttempt,
  JobAttempt_Status,
} from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import {
  type JobsService,
  SubmitJobsRequest_ItemSchema,
  type SubmitOutcome,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import type { Fault, Reason } from "@orrery/mesh/fault/fault";
import { faultFrom } from "@orrery/mesh/fault/wire";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { newTraceparent } from "@orrery/mesh/telemetry/trace";
import { jsonText, valueFrom } from "@orrery/mesh/transport/json-value";
import { callHeaders } from "@orrery/mesh/transport/route";
import { CALL_MS, INPUT_BYTES } from "../../application/limits.ts";
import type { HeldErrand, JobState, JobsPeer, Submitted } from "../../application/ports.ts";
import type { JobEnd } from "../../domain/decisions.ts";

const ENDS: ReadonlySet<Job_Status> = new Set([
  Job_Status.SUCCEEDED,
  Job_Status.FAILED,
  Job_Status.CANCELLED,
  Job_Status.EXPIRED,
]);
/** Refusals that the same submission gets for ever. */
const FINAL: ReadonlySet<Problem_Reason> = new Set([
  Problem_Reason.INVALID_REQUEST,
  Problem_Reason.BODY_TOO_LARGE,
  Problem_Reason.IDEMPOTENCY_KEY_REUSED,
]);

/** The jobs service over gRPC, asked in the name of each mission's launcher. */
export function jobsPeer(client: Client<typeof JobsService>, logger: Logger): JobsPeer {
  return {
    submit: async (errands, signal) => {
      const correlationId = errands[0]?.caller.correlationId ?? "";
      // The call has a trace of its own; each item carries its mission's, which the job goes on with.
      const headers = callHeaders({ correlationId, traceparent: newTraceparent() });
      try {
        const items = errands.map(itemOf);
        const { outcomes } = await client.submitJobs({ items }, { headers, signal, timeoutMs: CALL_MS });
        const submitted = outcomes.map(submittedFrom);
        logPostponed(logger, outcomes, submitted);
        return errands.map((_errand, index) => submitted[index] ?? { kind: "later" });
      } catch (failure) {
        if (!signal.aborted)
          logger.warn("the jobs service did not take jobs", { reason: faultFrom(failure).message });
        return errands.map(() => ({ kind: "later" as const }));
      }
    },
    cancel: async (errand, signal) => {
      await unless(["JOB_ALREADY_FINISHED"], () =>
        client.cancelJob(
          { id: errand.jobId, reason: "its mission is cancelled" },
          optionsFor(errand, signal),
        ),
      );
    },
    retry: async (errand, signal) => {
      // One key for each retry: a repeat of it is no second one.
      const idempotencyKey = `retry:${errand.jobId}:${errand.seenVersion}`;
      const request = { id: errand.jobId, reason: "its mission is retried", idempotencyKey };
      await unless(["JOB_NOT_RETRYABLE"], () => client.retryJob(request, optionsFor(errand, signal)));
    },
    look: async (errand, signal) => {
      const options = optionsFor(errand, signal);
      const { job } = await client.getJob({ id: errand.jobId }, options).catch(asFault);
      if (job === undefined || !ENDS.has(job.status)) return { version: job?.version ?? 0, end: undefined };
      if (job.status === Job_Status.SUCCEEDED) return { version: job.version, end: successOf(job) };
      const { attempts } =
        job.attempt === 0
          ? { attempts: [] }
          : await client.listJobAttempts({ id: errand.jobId }, options).catch(asFault);
      return { version: job.version, end: failureOf(job, attempts) } satisfies JobState;
    },
  };
}

function itemOf({
  caller,
  missionId,
  step,
  ...job
}: HeldErrand): MessageInitShape<typeof SubmitJobsRequest_ItemSchema> {
  return create(SubmitJobsRequest_ItemSchema, {
    caller: { ...caller, scopes: ["submit"] },
    missionStep: { jobId: job.jobId, missionId, step },
    job: {
      task: job.task,
      queue: job.queue,
      ...(job.inputText !== undefined && { input: valueFrom(job.inputText) }),
      ...(job.timeoutMs !== undefined && { timeout: durationFromMs(job.timeoutMs) }),
      ...(job.maxAttempts !== undefined && { maxAttempts: job.maxAttempts }),
    },
  });
}

function submittedFrom({ result }: SubmitOutcome): Submitted {
  if (result.case === "job") return { kind: "accepted" };
  if (result.case === undefined || !FINAL.has(result.value.reason)) return { kind: "later" };
  return { kind: "refused", message: result.value.detail };
}

/** One line for a call, however many jobs it could not place. */
function logPostponed(
  logger: Logger,
  outcomes: readonly SubmitOutcome[],
  submitted: readonly Submitted[],
): void {
  const postponed = outcomes.filter((_outcome, index) => submitted[index]?.kind === "later");
  const [first] = postponed;
  if (first === undefined) return;
  const reason = first.result.case === "error" ? Problem_Reason[first.result.value.reason] : "no outcome";
  logger.warn("the jobs service postponed jobs of missions", { jobs: postponed.length, reason });
}

const successOf = ({ output }: Job): JobEnd => ({
  kind: "succeeded",
  outputText: jsonText(output, { field: "output", limitBytes: 2 * INPUT_BYTES }),
});

function failureOf({ status, error }: Job, attempts: readonly JobAttempt[]): JobEnd {
  const unknown = attempts.some(
    (attempt) => attempt.status === JobAttempt_Status.LOST || attempt.error?.type === "TIMEOUT",
  );
  const name = Job_Status[status];
  const told = error ?? { type: name, message: `its job ended ${name}` };
  return { kind: "failed", unknown, error: { type: told.type, message: told.message } };
}

const optionsFor = ({ caller }: HeldErrand, signal: AbortSignal) => ({
  headers: callHeaders({
    onBehalf: { project: caller.project, principal: caller.principal, scopes: ["read", "submit"] },
    correlationId: caller.correlationId,
    traceparent: caller.traceparent,
  }),
  signal,
  timeoutMs: CALL_MS,
});

/** Makes a call; a refusal that says that the wish has come true already is none. */
async function unless(fulfilled: readonly Reason[], call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (failure) {
    const fault: Fault = faultFrom(failure);
    if (!fulfilled.includes(fault.reason)) throw fault;
  }
}

const asFault = (failure: unknown): never => {
  throw faultFrom(failure);
};
