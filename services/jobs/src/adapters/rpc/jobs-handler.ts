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
import { traceIdOf } from "@orrery/mesh/telemetry/trace";
import { type Call, type Route, serve } from "@orrery/mesh/transport/route";
import type { CommandRequest, commandJob } from "../../application/command-jobs.ts";
import type { Caller } from "../../application/ports.ts";
import type { readAttempts, readEvents, readJob } from "../../application/read-jobs.ts";
import type { SubmitJobs, Submitted } from "../../application/submit-jobs.ts";
import type { WatchFrame, WatchJobs } from "../../application/watch-jobs.ts";
import { callerOf } from "./call-context.ts";
import { eventToken, versionAfter } from "./event-token.ts";
import { attemptToWire, eventToWire, jobFromBytes, jobToWire } from "./job-wire.ts";
import { keyedRequest, outcomeToWire, submissionFromWire, submittedToWire } from "./submission-wire.ts";

/** The use cases that JobsService renders. */
export interface JobsUse {
  readonly submits: SubmitJobs;
  readonly command: ReturnType<typeof commandJob>;
  readonly read: ReturnType<typeof readJob>;
  readonly attempts: ReturnType<typeof readAttempts>;
  readonly events: ReturnType<typeof readEvents>;
  readonly watches: WatchJobs;
}

const PAGE_SIZE = 100;
const PAGE_LIMIT = 1_000;
const INTERNAL_INSTANCE = "";
/** How many submissions of one stream may be under way; the sender is held back beyond. */
const STREAM_WINDOW = 1_000;

/** JobsService, a line or two for each RPC. */
export function jobsRoute(use: JobsUse): Route {
  return serve(JobsService, {
    submitJob: async (request, call) => {
      const item = submissionFromWire(request, callerOf(call), "");
      if (item instanceof Fault) throw item;
      return submittedToWire(await use.submits.submit(item), request);
    },
    submitJobStream: (requests, call) => submitStream(use, requests, call),
    submitJobs: async ({ items }, call) => ({
      outcomes: await Promise.all(
        items.map(({ caller, job }) =>
          submitOne(use, job, caller ?? callerOf(call), { path: "", traceparent: caller?.traceparent ?? "" }),
        ),
      ),
    }),
    batchSubmitJobs: async (request, call) => {
      const caller = callerOf(call);
      const keyed = keyedRequest("BatchSubmitJobs", BatchSubmitJobsRequestSchema, request, caller.project);
      if (keyed !== undefined) return submitKeyedBatch(use, request.jobs, caller, keyed);
      const { traceparent } = call;
      const outcomes = request.jobs.map((job, index) =>
        submitOne(use, job, caller, { path: `jobs[${index}]`, traceparent }),
      );
      return { outcomes: await Promise.all(outcomes) };
    },
    getJob: async ({ id }, call) => ({ job: jobToWire(await use.read(callerOf(call).project, known(id))) }),
    listJobAttempts: async ({ id }, call) => ({
      attempts: (await use.attempts(callerOf(call).project, known(id))).map(attemptToWire),
    }),
    listJobEvents: async ({ id, pageSize, pageToken }, call) => {
      const jobId = known(id);
      const from = { jobId, version: versionAfter(pageToken, jobId) };
      const limit = Math.min(pageSize === 0 ? PAGE_SIZE : pageSize, PAGE_LIMIT);
      const { events, more } = await use.events(callerOf(call).project, from, limit);
      const last = events.at(-1);
      const nextPageToken = more && last !== undefined ? eventToken(jobId, last.version) : "";
      return { events: events.map(eventToWire), nextPageToken };
    },
    watchJob: ({ id, lastEventId }, call) => watchFrames(use, { id: known(id), lastEventId }, call),
    cancelJob: (request, call) => {
      const caller = callerOf(call);
      const keyed = keyedRequest("CancelJob", CancelJobRequestSchema, request, caller.project);
      const { id, reason } = request;
      return commandAnswer(use, { id: known(id), command: { kind: "cancel", reason }, keyed }, caller);
    },
    retryJob: (request, call) => {
      const caller = callerOf(call);
      const keyed = keyedRequest("RetryJob", RetryJobRequestSchema, request, caller.project);
      const { id, reason } = request;
      return commandAnswer(use, { id: known(id), command: { kind: "retry", reason }, keyed }, caller);
    },
  });
}

/** Ids are kept in lower case; a UUID means the same in any (RFC 9562, section 4). */
const known = (id: string): string => id.toLowerCase();

async function commandAnswer(use: JobsUse, request: CommandRequest, caller: Caller) {
  const answer = await use.command(request, caller);
  if ("view" in answer) return { job: jobToWire(answer.view), replayed: false };
  return { job: jobFromBytes(answer.replay), replayed: true };
}

/** One submission among others: a refusal is its outcome. What fails all of them alike fails the call. */
async function submitOne(
  use: JobsUse,
  request: SubmitJobRequest | undefined,
  caller: Caller,
  at: { path: string; traceparent: string },
): Promise<SubmitOutcome> {
  const job = request ?? create(JobsService.method.submitJob.input);
  const item = submissionFromWire(job, caller, at.path);
  const result = item instanceof Fault ? item : await use.submits.submit(item).catch(refusalOnly);
  return outcomeToWire(placed(result, at.path), job, {
    instance: INTERNAL_INSTANCE,
    traceId: traceIdOf(at.traceparent),
  });
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
  keyed: NonNullable<ReturnType<typeof keyedRequest>>,
) {
  const about = { instance: INTERNAL_INSTANCE, traceId: traceIdOf(caller.traceparent) };
  const items = requests.map((job, index) => submissionFromWire(job, caller, `jobs[${index}]`));
  const render = (results: readonly (Submitted | Fault)[]) =>
    requests.flatMap((request, index) => {
      const result = results[index];
      return result === undefined ? [] : [outcomeToWire(placed(result, `jobs[${index}]`), request, about)];
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
  call.accept();
  yield* unorderedMap(requests, STREAM_WINDOW, async ({ index, job }) => ({
    index,
    outcome: await submitOne(use, job, caller, { path: "job", traceparent: call.traceparent }),
  }));
}

async function* watchFrames(
  use: JobsUse,
  { id, lastEventId }: { id: string; lastEventId: string },
  call: Call,
) {
  const { project } = callerOf(call);
  const lastVersion = lastEventId === "" ? undefined : versionFrom(lastEventId);
  for await (const frame of use.watches.watch({ project, id, lastVersion }, call.signal)) {
    call.accept();
    yield frameToWire(frame);
  }
}

// What is no version of ours is read as 0, which no job has.
const versionFrom = (eventId: string): number => (/^[1-9][0-9]{0,8}$/.test(eventId) ? Number(eventId) : 0);

function frameToWire(frame: WatchFrame): { id: string; event: string; data: JsonObject } {
  switch (frame.kind) {
    case "snapshot": {
      const data = toJson(JobSchema, jobToWire(frame.view), { alwaysEmitImplicit: true }) as JsonObject;
      return { id: String(frame.view.job.version), event: "snapshot", data };
    }
    case "event": {
      const data = JSON.parse(frame.event.envelope) as JsonObject;
      return { id: String(frame.event.version), event: frame.event.name, data };
    }
    case "reset":
      return { id: String(frame.version), event: "reset", data: {} };
  }
}
