import { create, fromBinary, type JsonObject, toBinary, toJson } from "@bufbuild/protobuf";
import { JobSchema } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import {
  BatchSubmitJobsRequestSchema,
  BatchSubmitJobsResponseSchema,
  CancelJobRequestSchema,
  JobsService,
  RetryJobRequestSchema,
  type SubmitJobRequest,
  type SubmitJobStreamRequest,
  type SubmitOutcome,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { unorderedMap } from "@orrery/mesh/batching/unordered-map";
import { Fault } from "@orrery/mesh/fault/fault";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { type KeyedRequest, keyedRequest } from "@orrery/mesh/idempotency/keys";
import type { Watches } from "@orrery/mesh/outbox/watch";
import { sendWatch } from "@orrery/mesh/outbox/watch-frames";
import type { ItemBudget } from "@orrery/mesh/telemetry/item-budget";
import { traceIdOf } from "@orrery/mesh/telemetry/trace";
import { cutMessages } from "@orrery/mesh/transport/answer-size";
import { type Call, callerOf, type Route, serve } from "@orrery/mesh/transport/route";
import type { CommandRequest, commandJob } from "../../application/command-jobs.ts";
import type { Caller, JobView } from "../../application/ports.ts";
import type { readAttempts, readEvents, readJob } from "../../application/read-jobs.ts";
import type { SubmitItem, SubmitJobs, Submitted } from "../../application/submit-jobs.ts";
import type { SubmitSteps } from "../../application/submit-steps.ts";
import { callerWithin } from "./call-context.ts";
import { eventToken, versionAfter } from "./event-token.ts";
import { attemptToWire, eventToWire, jobFromBytes, jobToWire } from "./job-wire.ts";
import { isForMissions, stepNotAllowed, submitStepItems } from "./steps-handler.ts";
import { outcomeToWire, submissionFromWire, submittedToWire } from "./submission-wire.ts";

/** The use cases that JobsService renders. */
interface JobsUse {
  readonly submits: SubmitJobs;
  readonly submitSteps: SubmitSteps;
  readonly command: ReturnType<typeof commandJob>;
  readonly read: ReturnType<typeof readJob>;
  readonly attempts: ReturnType<typeof readAttempts>;
  readonly events: ReturnType<typeof readEvents>;
  readonly watches: Watches<JobView>;
  /** For the jobs of batches and streams, of which one request brings many. */
  readonly traces: ItemBudget;
}

const PAGE_SIZE = 100;
const PAGE_LIMIT = 1_000;
const INTERNAL_INSTANCE = "";
/** For answers of many jobs: the edge puts each input back, which would be half of what travels here otherwise. */
const WITHOUT_INPUT = {};
/** What a message without a job says: nothing, which is refused for want of a task. */
const NO_JOB = create(JobsService.method.submitJob.input);
/** How many submissions of one stream may be under way; the sender is held back beyond. */
const STREAM_WINDOW = 1_000;

/** JobsService: reads each request, asks the use cases, and renders what they answer. */
export function jobsRoute(use: JobsUse): Route {
  return serve(JobsService, {
    submitJob: async (request, call) => {
      const item = submissionFromWire(request, callerOf(call), "");
      if (item instanceof Fault) throw item;
      return submittedToWire(await use.submits.submit(item), request);
    },
    submitJobStream: (requests, call) => submitStream(use, requests, call),
    submitJobs: async ({ items }, call) => {
      if (isForMissions(call)) return { outcomes: await submitStepItems(use.submitSteps, items) };
      if (items.some(({ missionStep }) => missionStep !== undefined)) throw stepNotAllowed();
      const wanted = items.map(({ caller, job = NO_JOB }) => ({
        job,
        caller: caller ?? callerOf(call),
        path: "",
      }));
      return { outcomes: await submitMany(use, wanted) };
    },
    batchSubmitJobs: async (request, call) => {
      const caller = callerOf(call);
      const keyed = keyedRequest("BatchSubmitJobs", BatchSubmitJobsRequestSchema, request, caller.project);
      if (keyed !== undefined) return submitKeyedBatch(use, request.jobs, caller, keyed);
      const wanted = request.jobs.map((job, index) => ({
        job,
        caller: callerWithin(use.traces, caller),
        path: `jobs[${index}]`,
      }));
      return { outcomes: await submitMany(use, wanted) };
    },
    getJob: async ({ id }, call) => ({ job: jobToWire(await readFor(use, call, id)) }),
    listJobAttempts: async ({ id }, call) => {
      if (isForMissions(call)) await readFor(use, call, id);
      const attempts = await use.attempts(callerOf(call).project, known(id));
      return { attempts: cutMessages(attempts.map(attemptToWire)) };
    },
    listJobEvents: async ({ id, pageSize, pageToken }, call) => {
      const jobId = known(id);
      const from = { jobId, version: versionAfter(pageToken, jobId) };
      const limit = Math.min(pageSize === 0 ? PAGE_SIZE : pageSize, PAGE_LIMIT);
      const { events, more } = await use.events(callerOf(call).project, from, limit);
      const last = events.at(-1);
      const nextPageToken = more && last !== undefined ? eventToken(jobId, last.version) : "";
      return { events: events.map(eventToWire), nextPageToken };
    },
    watchJob: ({ id, lastEventId }, call) =>
      sendWatch(
        use.watches,
        { project: callerOf(call).project, id: known(id), lastEventId },
        { call, snapshot },
      ),
    cancelJob: (request, call) => {
      const caller = callerOf(call);
      const keyed = keyedRequest("CancelJob", CancelJobRequestSchema, request, caller.project);
      const { id, reason } = request;
      const command = { kind: "cancel" as const, reason, byMission: isForMissions(call) };
      return commandAnswer(use, { id: known(id), command, keyed }, caller);
    },
    retryJob: (request, call) => {
      const caller = callerOf(call);
      const byMission = isForMissions(call);
      // A scope of its own: whoever took a mission's key before it would keep its job from being retried.
      const route = byMission ? "RetryJob by mission" : "RetryJob";
      const keyed = keyedRequest(route, RetryJobRequestSchema, request, caller.project);
      const { id, reason } = request;
      const command = { kind: "retry" as const, reason, byMission };
      return commandAnswer(use, { id: known(id), command, keyed }, caller);
    },
  });
}

/** Ids are kept in lower case; a UUID means the same in any (RFC 9562, section 4). */
const known = (id: string): string => id.toLowerCase();

/** Reads a job for a call. A mission reads the jobs of missions only: every other job is as good as none. */
async function readFor({ read }: JobsUse, call: Call, id: string): Promise<JobView> {
  const view = await read(callerOf(call).project, known(id));
  if (isForMissions(call) && view.job.missionId === "")
    throw new Fault("NOT_FOUND", { detail: "this project has no mission's job with this id" });
  return view;
}

async function commandAnswer(use: JobsUse, request: CommandRequest, caller: Caller) {
  const answer = await use.command(request, caller);
  if ("view" in answer) return { job: jobToWire(answer.view), replayed: false };
  return { job: jobFromBytes(answer.replay), replayed: true };
}

/** One submission among others. */
interface Wanted {
  readonly job: SubmitJobRequest;
  readonly caller: Caller;
  /** Where it stands in the call, as in `jobs[3]`. */
  readonly path: string;
}

/**
 * Submits what came in one call. A refusal is an outcome like any other; what fails all of them alike fails the
 * call.
 */
async function submitMany(use: JobsUse, wanted: readonly Wanted[]): Promise<SubmitOutcome[]> {
  const items = wanted.map(({ job, caller, path }) => submissionFromWire(job, caller, path));
  const sound = items.filter((item): item is SubmitItem => !(item instanceof Fault));
  const results = sound.length === 0 ? [] : await resultsOf(use, sound);
  let next = 0;
  return wanted.map(({ caller, path }, index) => {
    const item = items[index];
    const result = item instanceof Fault ? item : results[next++];
    if (result === undefined) throw new RangeError("a submission got no result");
    const about = { instance: INTERNAL_INSTANCE, traceId: traceIdOf(caller.traceparent) };
    return outcomeToWire(placed(result, path), WITHOUT_INPUT, about);
  });
}

async function resultsOf(
  use: JobsUse,
  items: readonly SubmitItem[],
): Promise<readonly (Submitted | Fault)[]> {
  try {
    return await use.submits.submitAll(items);
  } catch (failure) {
    const refusal = refusalOnly(failure);
    return items.map(() => refusal);
  }
}

function refusalOnly(failure: unknown): Fault {
  const fault = faultFrom(failure);
  if (fault.reason === "DEPENDENCY_UNAVAILABLE" || fault.reason === "INTERNAL") throw fault;
  return fault;
}

/** Names fields from the root of the request, whoever found them. */
function placed(result: Submitted | Fault, path: string): Submitted | Fault {
  if (!(result instanceof Fault) || path === "") return result;
  const fieldViolations = result.fieldViolations.map(({ field, description }) => ({
    field: field.startsWith(path) ? field : `${path}.${field}`,
    description,
  }));
  const { message: detail, retryAfterMs } = result;
  return new Fault(result.reason, { detail, fieldViolations, retryAfterMs });
}

async function submitKeyedBatch(
  use: JobsUse,
  requests: readonly SubmitJobRequest[],
  caller: Caller,
  keyed: KeyedRequest,
) {
  const about = { instance: INTERNAL_INSTANCE, traceId: traceIdOf(caller.traceparent) };
  const items = requests.map((job, index) =>
    submissionFromWire(job, callerWithin(use.traces, caller), `jobs[${index}]`),
  );
  const render = (results: readonly (Submitted | Fault)[]) =>
    requests.flatMap((_request, index) => {
      const result = results[index];
      return result === undefined
        ? []
        : [outcomeToWire(placed(result, `jobs[${index}]`), WITHOUT_INPUT, about)];
    });
  const answer = await use.submits.submitKeyed(items, keyed, (results) =>
    toBinary(
      BatchSubmitJobsResponseSchema,
      create(BatchSubmitJobsResponseSchema, { outcomes: render(results) }),
    ),
  );
  if ("results" in answer) return { outcomes: render(answer.results), replayed: false };
  return { outcomes: fromBinary(BatchSubmitJobsResponseSchema, answer.replay).outcomes, replayed: true };
}

async function* submitStream(use: JobsUse, requests: AsyncIterable<SubmitJobStreamRequest>, call: Call) {
  const caller = callerOf(call);
  const about = { instance: INTERNAL_INSTANCE, traceId: traceIdOf(call.traceparent) };
  call.accept();
  yield* unorderedMap(requests, STREAM_WINDOW, async ({ index, job = NO_JOB }) => {
    const item = submissionFromWire(job, callerWithin(use.traces, caller), "job");
    const result = item instanceof Fault ? item : await use.submits.submit(item).catch(refusalOnly);
    return { index, outcome: outcomeToWire(placed(result, "job"), job, about) };
  });
}

const snapshot = (view: JobView) => ({
  version: view.job.version,
  data: toJson(JobSchema, jobToWire(view), { alwaysEmitImplicit: true }) as JsonObject,
});
