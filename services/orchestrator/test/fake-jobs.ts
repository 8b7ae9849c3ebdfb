import { create, type MessageShape } from "@bufbuild/protobuf";
import type { Value } from "@bufbuild/protobuf/wkt";
import {
  type Job,
  Job_Status,
  JobAttempt_Status,
  JobErrorSchema,
  JobSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import {
  JobsService,
  type SubmitJobsRequest_Item,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import { problemFrom } from "@orrery/mesh/fault/wire";
import { valueFrom } from "@orrery/mesh/transport/json-value";
import {
  type Call,
  type Implementation,
  type Route,
  requireOnBehalf,
  serve,
} from "@orrery/mesh/transport/route";

/** How an attempt of a fake job ended. */
export interface FakeAttempt {
  readonly status: "SUCCEEDED" | "FAILED" | "LOST" | "CANCELLED";
  readonly errorType?: string;
}

/** A jobs service as a mission sees it: it takes jobs by their ids, and a test says how they end. */
export class FakeJobs {
  /** By id, in the order in which they came. */
  readonly jobs = new Map<string, Job>();
  readonly attempts = new Map<string, readonly FakeAttempt[]>();
  /** How often each id was submitted. */
  readonly submissions = new Map<string, number>();
  readonly callers = new Map<string, NonNullable<SubmitJobsRequest_Item["caller"]>>();
  readonly cancelled: string[] = [];
  readonly retried: { readonly id: string; readonly key: string | undefined }[] = [];
  /** Tasks that it takes no jobs of, with the reason. */
  readonly refused = new Map<string, "INVALID_REQUEST" | "OVERLOADED">();

  get route(): Route {
    return serve(JobsService, this.#implementation());
  }

  /** The newest job of a task, once it has come. @throws Error before that */
  job(task: string): Job {
    const found = [...this.jobs.values()].findLast((job) => job.task === task);
    if (found === undefined) throw new Error(`no job of ${task} has come`);
    return found;
  }

  /** Ends a job. @returns it, as it is then */
  end(
    job: Job,
    status: "SUCCEEDED" | "FAILED" | "CANCELLED",
    more: { output?: string; errorType?: string; attempts?: readonly FakeAttempt[] } = {},
  ): Job {
    const { output, errorType, attempts = [{ status }] } = more;
    this.attempts.set(job.id, attempts);
    job.status = Job_Status[status];
    job.version += 2;
    job.attempt = attempts.length;
    if (output !== undefined) job.output = valueFrom(output);
    if (errorType !== undefined)
      job.error = create(JobErrorSchema, { type: errorType, message: "it says so" });
    return job;
  }

  #implementation(): Implementation<typeof JobsService> {
    const absent = (): never => {
      throw new Fault("UNIMPLEMENTED", { detail: "no mission asks for this" });
    };
    return {
      submitJobs: ({ items }) => Promise.resolve({ outcomes: items.map((item) => this.#submitted(item)) }),
      getJob: ({ id }, call) => Promise.resolve({ job: this.#known(id, call) }),
      listJobAttempts: ({ id }, call) => {
        this.#known(id, call);
        const attempts = (this.attempts.get(id) ?? []).map(({ status, errorType }, index) => ({
          attempt: index + 1,
          status: JobAttempt_Status[status],
          ...(errorType !== undefined && { error: { type: errorType } }),
        }));
        return Promise.resolve({ attempts });
      },
      cancelJob: ({ id }, call) => {
        this.cancelled.push(id);
        const job = this.#known(id, call);
        if (hasEnded(job)) throw new Fault("JOB_ALREADY_FINISHED", { detail: "it has" });
        return Promise.resolve({ job });
      },
      retryJob: ({ id, idempotencyKey }, call) => {
        this.retried.push({ id, key: idempotencyKey });
        const job = this.#known(id, call);
        if (!hasEnded(job)) throw new Fault("JOB_NOT_RETRYABLE", { detail: "it runs" });
        job.status = Job_Status.QUEUED;
        job.version += 1;
        return Promise.resolve({ job });
      },
      submitJob: absent,
      submitJobStream: absent,
      batchSubmitJobs: absent,
      listJobEvents: absent,
      watchJob: absent,
    };
  }

  #submitted({ caller, job, missionStep }: SubmitJobsRequest_Item) {
    const id = missionStep?.jobId ?? "";
    this.submissions.set(id, (this.submissions.get(id) ?? 0) + 1);
    const refusal = this.refused.get(job?.task ?? "");
    if (refusal !== undefined) {
      const fault = new Fault(refusal, { detail: "not this one" });
      return {
        result: {
          case: "error" as const,
          value: problemFrom(fault, { edge: "", instance: "", traceId: "" }),
        },
      };
    }
    if (caller !== undefined) this.callers.set(id, caller);
    const known = this.jobs.get(id) ?? newJob(id, { caller, job, missionStep });
    this.jobs.set(id, known);
    return { result: { case: "job" as const, value: known } };
  }

  #known(id: string, call: Call): Job {
    const job = this.jobs.get(id);
    if (job === undefined || job.project !== requireOnBehalf(call).project)
      throw new Fault("NOT_FOUND", { detail: "no such job" });
    return job;
  }
}

type Item = Pick<SubmitJobsRequest_Item, "caller" | "job" | "missionStep">;

const newJob = (id: string, { caller, job, missionStep }: Item): Job => {
  const input: Value | undefined = job?.input;
  return create(JobSchema, {
    id,
    project: caller?.project ?? "",
    task: job?.task ?? "",
    queue: job?.queue ?? "default",
    status: Job_Status.QUEUED,
    version: 1,
    missionId: missionStep?.missionId ?? "",
    step: missionStep?.step ?? "",
    ...(input !== undefined && { input }),
  } satisfies Partial<MessageShape<typeof JobSchema>>);
};

const hasEnded = ({ status }: Job): boolean =>
  [Job_Status.SUCCEEDED, Job_Status.FAILED, Job_Status.CANCELLED, Job_Status.EXPIRED].includes(status);
