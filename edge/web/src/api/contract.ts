import type { MessageShape } from "@bufbuild/protobuf";
import type { Alert as AlertMessage } from "@orrery/contracts/gen/orrery/alerts/v1/alert_pb.js";
import type { EventEnvelope } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import type { JobAttempt, Job as JobMessage } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type { Queue as QueueMessage } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import type { Worker as WorkerMessage } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import type {
  ObservatoryService,
  Span as SpanMessage,
} from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import type {
  Mission as MissionMessage,
  MissionStep as StepMessage,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import type { JsonOf } from "./json-of.ts";

// The nouns of the contract, as the edge writes them.
export type Job = JsonOf<JobMessage>;
export type Attempt = JsonOf<JobAttempt>;
export type Mission = JsonOf<MissionMessage>;
export type MissionStep = JsonOf<StepMessage>;
export type Alert = JsonOf<AlertMessage>;
export type Queue = JsonOf<QueueMessage>;
export type Worker = JsonOf<WorkerMessage>;
export type Span = JsonOf<SpanMessage>;
export type Envelope = JsonOf<EventEnvelope>;

type Methods = (typeof ObservatoryService)["method"];

/** Every route that the page reads: the observatory's, and no other. A test holds the list to the contract. */
export const ROUTES = {
  getOverview: "/v1/overview",
  getMetrics: "/v1/metrics",
  listJobs: "/v1/jobs",
  getJob: "/v1/observatory/jobs/{id}",
  listJobAttempts: "/v1/observatory/jobs/{id}/attempts",
  listJobEvents: "/v1/observatory/jobs/{id}/history",
  getJobTrace: "/v1/observatory/jobs/{id}/trace",
  listMissions: "/v1/observatory/missions",
  getMission: "/v1/observatory/missions/{id}",
  listMissionEvents: "/v1/observatory/missions/{id}/history",
  getMissionTrace: "/v1/observatory/missions/{id}/trace",
  listQueues: "/v1/observatory/queues",
  listWorkers: "/v1/observatory/workers",
  listAlerts: "/v1/alerts",
} as const satisfies Partial<Record<keyof Methods, string>>;

/** Where the project's events are streamed. */
export const WATCH_ROUTE = "/v1/events:watch";

/** The RPCs whose answer is one field of the message (`response_body`). */
export interface Unwrapped {
  readonly getJob: "job";
  readonly getMission: "mission";
}

export type Reading = keyof typeof ROUTES;

type WholeAnswer<R extends Reading> = JsonOf<MessageShape<Methods[R]["output"]>>;

/** What the edge answers to a reading. */
export type Answer<R extends Reading> = R extends keyof Unwrapped
  ? NonNullable<WholeAnswer<R>[Unwrapped[R] & keyof WholeAnswer<R>]>
  : WholeAnswer<R>;
