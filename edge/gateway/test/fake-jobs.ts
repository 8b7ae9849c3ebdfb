import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Job, Job_Status, JobSchema } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type {
  JobsService,
  SubmitJobsRequest_Item,
  SubmitOutcomeSchema,
  WatchJobResponseSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import { uuidV7 } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import type { Call } from "@orrery/mesh/transport/call";
import { type Implementation, requireOnBehalf } from "@orrery/mesh/transport/route";

type Frame = MessageInitShape<typeof WatchJobResponseSchema>;

/**
 * A jobs service that keeps its jobs in memory. The task says what becomes of a job: `ends` succeeds when it
 * is watched, `waits` never ends, `hangs` is never admitted to a watch nor answered, `refused` is refused, `busy` is in
 * flight already.
 */
export class FakeJobs {
  readonly jobs = new Map<string, Job>();
  /** Each `SubmitJobs` call, as it came. */
  readonly batches: SubmitJobsRequest_Item[][] = [];
  /** Each other call, as it came. */
  readonly calls: Call[] = [];
  readonly idempotencyKeys: (string | undefined)[] = [];
  /** Watches whose caller went away. */
  cancelledWatches = 0;
  /** Milliseconds that a `SubmitJobs` call takes. */
  delayMs = 0;

  get implementation(): Partial<Implementation<typeof JobsService>> {
    return {
      submitJobs: async ({ items }) => {
        this.batches.push(items);
        if (this.delayMs > 0) await wait(this.delayMs);
        return { outcomes: items.map((item) => this.#submit(item)) };
      },
      getJob: async ({ id }, call) => {
        this.calls.push(call);
        const job = this.#find(id, call);
        if (job.task === "hangs") await this.#gone(call);
        return { job };
      },
      cancelJob: async ({ id, idempotencyKey }, call) => {
        this.calls.push(call);
        this.idempotencyKeys.push(idempotencyKey);
        const job = this.#find(id, call);
        job.version += 1;
        return { job, replayed: idempotencyKey === "again" };
      },
      batchSubmitJobs: async ({ jobs, idempotencyKey }, call) => {
        this.calls.push(call);
        this.idempotencyKeys.push(idempotencyKey);
        const { project } = requireOnBehalf(call);
        const outcomes = jobs.map(({ task }, index) => this.#outcome(task, project, `jobs[${index}].`));
        return { outcomes, replayed: idempotencyKey === "again" };
      },
      submitJobStream: () => {
        throw new Error("the gateway submits a stream's jobs by SubmitJobs");
      },
      watchJob: ({ id, lastEventId }, call) => this.#watch(id, lastEventId, call),
    };
  }

  /** How many jobs each `SubmitJobs` call held. */
  get batchSizes(): number[] {
    return this.batches.map((batch) => batch.length);
  }

  #submit({ job, caller }: SubmitJobsRequest_Item): MessageInitShape<typeof SubmitOutcomeSchema> {
    const outcome = this.#outcome(job?.task ?? "", caller?.project ?? "");
    return job?.idempotencyKey === "again" ? { ...outcome, replayed: true } : outcome;
  }

  /** A field is named as whoever wrote the job knows it: by its place only where the job is one of a list. */
  #outcome(task: string, project: string, place = ""): MessageInitShape<typeof SubmitOutcomeSchema> {
    if (task === "refused") return refusal("INVALID_REQUEST", `${place}maxAttempts`);
    if (task === "busy") return refusal("IDEMPOTENCY_IN_FLIGHT");
    const job = create(JobSchema, { id: uuidV7(), project, task, version: 1, status: Job_Status.QUEUED });
    this.jobs.set(job.id, job);
    return { result: { case: "job", value: job } };
  }

  #find(id: string, call: Call): Job {
    const job = this.jobs.get(id);
    if (job !== undefined && job.project === requireOnBehalf(call).project) return job;
    throw new Fault("NOT_FOUND", { detail: "there is no such job" });
  }

  async *#watch(id: string, lastEventId: string, call: Call): AsyncIterable<Frame> {
    this.calls.push(call);
    const job = this.#find(id, call);
    if (lastEventId === "2") return;
    if (job.task === "hangs") {
      await this.#gone(call);
      return;
    }
    call.accept();
    if (job.task === "silent") {
      await this.#gone(call);
      return;
    }
    if (lastEventId === "") yield { id: "1", event: "snapshot", data: { id, version: 1 } };
    if (job.task === "waits") {
      await this.#gone(call);
      return;
    }
    job.status = Job_Status.SUCCEEDED;
    job.version = 2;
    yield { id: "2", event: "JobSucceeded", data: { aggregateVersion: 2 } };
  }

  #gone(call: Call): Promise<void> {
    return new Promise((resolve) => {
      call.signal.addEventListener("abort", () => {
        this.cancelledWatches += 1;
        resolve();
      });
    });
  }
}

function refusal(
  reason: "INVALID_REQUEST" | "IDEMPOTENCY_IN_FLIGHT",
  field?: string,
): MessageInitShape<typeof SubmitOutcomeSchema> {
  const fieldViolations = field === undefined ? [] : [{ field, description: "has to be 1 to 100" }];
  return {
    result: {
      case: "error",
      value: { reason: Problem_Reason[reason], status: 400, detail: "not that", fieldViolations },
    },
  };
}
