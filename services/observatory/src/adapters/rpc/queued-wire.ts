import { create } from "@bufbuild/protobuf";
import {
  type Job,
  Job_Blocked_Reason,
  Job_BlockedSchema,
  Job_Status,
} from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type { AskedFor } from "../../application/ports.ts";
import type { QueuedReasons } from "../../application/queued-reasons.ts";

/** Says of jobs that wait in a queue what holds them; of all others their events say it. @returns the same jobs */
export async function withReasons(
  reasons: QueuedReasons,
  jobs: readonly Job[],
  askedFor: AskedFor,
): Promise<Job[]> {
  const queued = jobs.filter(({ status, blocked }) => status === Job_Status.QUEUED && blocked === undefined);
  const found = await reasons.of(queued, askedFor);
  for (const [index, job] of queued.entries()) {
    const why = found[index];
    if (why !== undefined)
      job.blocked = create(Job_BlockedSchema, {
        reason: Job_Blocked_Reason[why.reason],
        message: why.message,
      });
  }
  return [...jobs];
}
