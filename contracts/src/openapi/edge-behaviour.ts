/**
 * What the edge does with an RPC beyond what descriptors and options can say. Few lines, and every one of them is
 * asked of a running edge by edge/test/stories/document.test.ts.
 */

/** What a success says in its status line and headers. */
export interface SuccessBehaviour {
  /** The status; 200 unless said. */
  readonly status?: number;
  /** A second status, and when it comes. */
  readonly other?: { readonly status: number; readonly when: string };
  /** Names of `components.headers` that it has beyond those of every answer. */
  readonly headers?: readonly string[];
  /** Names of `components.parameters` that it takes beyond those of every request. */
  readonly parameters?: readonly string[];
}

const SUCCESS: ReadonlyMap<string, SuccessBehaviour> = new Map([
  [
    "orrery.jobs.v1.JobsService/SubmitJob",
    {
      status: 202,
      other: { status: 200, when: "Prefer: wait was asked for, and the job has ended, however it ended." },
      headers: ["Location", "OrreryConsistencyToken", "PreferenceApplied"],
      parameters: ["Prefer"],
    },
  ],
  ["orrery.jobs.v1.JobsService/CancelJob", { headers: ["OrreryConsistencyToken"] }],
  ["orrery.jobs.v1.JobsService/RetryJob", { headers: ["OrreryConsistencyToken"] }],
  [
    "orrery.orchestrator.v1.MissionsService/CreateMission",
    { status: 202, headers: ["Location", "OrreryConsistencyToken"] },
  ],
  ["orrery.orchestrator.v1.MissionsService/CancelMission", { headers: ["OrreryConsistencyToken"] }],
  ["orrery.orchestrator.v1.MissionsService/RetryMission", { headers: ["OrreryConsistencyToken"] }],
  ["orrery.orchestrator.v1.MissionsService/ResolveMission", { headers: ["OrreryConsistencyToken"] }],
  ["orrery.observatory.v1.ObservatoryService/GetJob", { headers: ["OrreryAsOf", "OrreryLagMs"] }],
  ["orrery.observatory.v1.ObservatoryService/GetMission", { headers: ["OrreryAsOf", "OrreryLagMs"] }],
]);

/** What a success of an RPC says beyond its message. */
export function successBehaviour(rpc: string): SuccessBehaviour {
  return SUCCESS.get(rpc) ?? {};
}

/**
 * What the frames of a watch hold, by RPC: the protos call it a Struct, since it is one of several messages. The
 * first is the snapshot's, where there is one.
 */
export const FRAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["orrery.jobs.v1.JobsService/WatchJob", ["orrery.jobs.v1.Job", "orrery.events.v1.EventEnvelope"]],
  [
    "orrery.orchestrator.v1.MissionsService/WatchMission",
    ["orrery.orchestrator.v1.Mission", "orrery.events.v1.EventEnvelope"],
  ],
  ["orrery.observatory.v1.ObservatoryService/WatchEvents", ["orrery.events.v1.EventEnvelope"]],
]);

/** The reasons that every operation has, beyond its own. */
export const SHARED_REASONS: readonly string[] = [
  "INVALID_REQUEST",
  "UNAUTHENTICATED",
  "SCOPE_MISSING",
  "PROJECT_FORBIDDEN",
  "NOT_ACCEPTABLE",
  "REQUEST_TIMEOUT",
  "RATE_LIMITED",
  "HEADERS_TOO_LARGE",
  "INTERNAL",
  "ANSWER_TOO_LARGE",
  "UNIMPLEMENTED",
  "DEPENDENCY_UNAVAILABLE",
  "OVERLOADED",
  "DEADLINE_EXCEEDED",
];

/** The reasons that every operation with a body has as well. */
export const BODY_REASONS: readonly string[] = ["BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"];
