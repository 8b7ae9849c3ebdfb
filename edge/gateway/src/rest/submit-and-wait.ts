import { create } from "@bufbuild/protobuf";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { Job_Status } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import {
  GetJobRequestSchema,
  type GetJobResponse,
  JobsService,
  type SubmitJobResponse,
  WatchJobRequestSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { faultFrom } from "@orrery/mesh/fault/wire";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { wait } from "@orrery/mesh/time/wait";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { EdgeCall } from "../dispatch/edge-call.ts";

const ENDS: ReadonlySet<Job_Status> = new Set([
  Job_Status.SUCCEEDED,
  Job_Status.FAILED,
  Job_Status.CANCELLED,
  Job_Status.EXPIRED,
]);

/** How long after a watch was cut off the next one begins at the earliest, in milliseconds. */
const AGAIN_MS = 200;

/**
 * Waits for the end of a job that was just submitted: watches it until it ended or the time is up, then reads
 * it. A watch that is cut off, by a replica that stops for instance, is begun again.
 *
 * The caller may lack the scope to read jobs in general; the end of its own submission belongs to the answer
 * of the submission. Trouble while waiting never turns an accepted job into an error: the answer is then the
 * submission's.
 *
 * @param waitMs - milliseconds, 0 to 60,000
 * @returns the job as it is now, and whether it ended
 */
export async function waitForEnd(
  { dispatcher, logger }: { dispatcher: Dispatcher; logger: Logger },
  submitted: SubmitJobResponse,
  { call, waitMs }: { call: EdgeCall; waitMs: number },
): Promise<{ answer: SubmitJobResponse; ended: boolean }> {
  const id = submitted.job?.id;
  if (id === undefined) return { answer: submitted, ended: false };
  const { caller, correlationId, traceparent, traceId, instance, signal } = call;
  const onItsBehalf: EdgeCall = {
    correlationId,
    traceparent,
    traceId,
    instance,
    signal,
    header: () => undefined,
    caller: { ...caller, scopes: [...new Set([...caller.scopes, "read" as const])] },
  };
  const timeUp = AbortSignal.timeout(waitMs);
  const until = AbortSignal.any([signal, timeUp]);
  let answer = submitted;
  let told = false;
  for (;;) {
    let againMs = AGAIN_MS;
    try {
      await watchToTheEnd(dispatcher, id, { ...onItsBehalf, signal: until }, timeUp);
      const read = create(GetJobRequestSchema, { id });
      const { job } = (await dispatcher.unary(
        JobsService.method.getJob,
        read,
        onItsBehalf,
      )) as GetJobResponse;
      if (job !== undefined) answer = { ...submitted, job };
    } catch (error) {
      const fault = faultFrom(error);
      againMs = Math.max(AGAIN_MS, fault.retryAfterMs ?? 0);
      if (!signal.aborted && !told) logger.warn("waiting for a job was cut short", { error: fault.message });
      told = true;
    }
    const ended = answer.job !== undefined && ENDS.has(answer.job.status);
    if (ended || until.aborted) return { answer, ended };
    await wait(againMs, until);
  }
}

/** A watch ends by itself after the event that ended the job. */
async function watchToTheEnd(
  dispatcher: Dispatcher,
  id: string,
  call: EdgeCall,
  timeUp: AbortSignal,
): Promise<void> {
  const requests = createAsyncIterable([create(WatchJobRequestSchema, { id })]);
  try {
    for await (const _ of dispatcher.stream(JobsService.method.watchJob, requests, call)) {
      // Every frame but the end is only a reason to wait on.
    }
  } catch (error) {
    if (!timeUp.aborted) throw error;
  }
}
