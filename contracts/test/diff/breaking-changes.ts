import { type BreakingChange, type Edit, FILES } from "./proto-change.ts";

const change = (title: string, stoppedBy: readonly string[], ...edits: readonly Edit[]): BreakingChange => ({
  title,
  stoppedBy,
  edits,
});

const { jobs, job, jobEvents, work, queues, missions, mission, missionEvents } = FILES;
const { observatory, alerts, alert, alertEvents, envelope, problem } = FILES;

const SECOND_ROUTE: Edit = {
  file: jobs,
  find: 'get: "/v1/jobs/{id}/attempts"',
  replace: 'get: "/v1/jobs/{id}/attempts"\n additional_bindings: {get: "/v1/jobs/{id}/tries"}',
};

/** Routes, bindings and bodies. */
const ROUTES: readonly BreakingChange[] = [
  change("a path of a read is renamed", ["route-removed"], {
    file: jobs,
    find: 'get: "/v1/jobs/{id}/attempts"',
    replace: 'get: "/v1/jobs/{id}/tries"',
  }),
  change("a verb of a write is changed", ["route-removed"], {
    file: jobs,
    find: 'post: "/v1/jobs/{id}:cancel"',
    replace: 'delete: "/v1/jobs/{id}"',
  }),
  change("the custom verb of a mission is renamed", ["route-removed"], {
    file: missions,
    find: 'post: "/v1/missions/{id}:resolve"',
    replace: 'post: "/v1/missions/{id}:settle"',
  }),
  change("a route loses its rule", ["route-removed"], {
    file: queues,
    find: 'option (google.api.http) = {get: "/v1/queues"};',
    replace: "",
  }),
  change("a second route takes the place of the first", ["route-removed"], {
    file: work,
    find: 'get: "/v1/workers"',
    replace: 'get: "/v2/workers"\n additional_bindings: {get: "/v3/workers"}',
  }),
  change("the path binds another field", ["route-removed"], {
    file: queues,
    find: 'patch: "/v1/queues/{queue.name}"',
    replace: 'patch: "/v1/queues/{idempotency_key}"',
  }),
  {
    ...change("the second of two routes is taken away", ["route-removed"], {
      file: jobs,
      find: 'additional_bindings: {get: "/v1/jobs/{id}/tries"}',
      replace: "",
    }),
    given: [SECOND_ROUTE],
  },
  {
    ...change("two routes change their order", ["binding-order"], {
      file: jobs,
      find: 'get: "/v1/jobs/{id}/attempts"\n additional_bindings: {get: "/v1/jobs/{id}/tries"}',
      replace: 'get: "/v1/jobs/{id}/tries"\n additional_bindings: {get: "/v1/jobs/{id}/attempts"}',
    }),
    given: [SECOND_ROUTE],
  },
  {
    ...change("a new route comes first, and the others after it in another order", ["binding-order"], {
      file: jobs,
      find: 'get: "/v1/jobs/{id}/attempts"\n additional_bindings: {get: "/v1/jobs/{id}/tries"}',
      replace:
        'get: "/v1/jobs/{id}/runs"\n additional_bindings: {get: "/v1/jobs/{id}/tries"}\n ' +
        'additional_bindings: {get: "/v1/jobs/{id}/attempts"}',
    }),
    given: [SECOND_ROUTE],
  },
  change("a body becomes a query", ["body-changed"], {
    file: jobs,
    after: 'post: "/v1/jobs/{id}:retry"',
    find: 'body: "*"\n',
    replace: "",
  }),
  change("a body of one field becomes the whole message", ["body-changed"], {
    file: queues,
    after: 'patch: "/v1/queues/{queue.name}"',
    find: 'body: "queue"',
    replace: 'body: "*"',
  }),
  change("an answer is wrapped", ["response-body-changed"], {
    file: jobs,
    after: 'get: "/v1/jobs/{id}"',
    find: 'response_body: "job"\n',
    replace: "",
  }),
  change("an answer is unwrapped", ["response-body-changed"], {
    file: observatory,
    find: 'get: "/v1/alerts"',
    replace: 'get: "/v1/alerts"\n response_body: "alerts"',
  }),
];

/** Who may call, from where, and how. */
const POLICY: readonly BreakingChange[] = [
  change("an RPC is taken from the edge", ["exposure-narrowed"], {
    file: jobs,
    after: "rpc SubmitJobStream(",
    find: "exposure: EDGE",
    replace: "exposure: INTERNAL",
  }),
  change("a read is taken from the edge with its route", ["exposure-narrowed", "route-removed"], {
    file: work,
    after: "rpc ListWorkers(",
    find:
      'option (google.api.http) = {get: "/v1/workers"};\n' +
      "    option (orrery.options.v1.method) = {\n      exposure: EDGE",
    replace: "option (orrery.options.v1.method) = {\n      exposure: INTERNAL",
  }),
  change("a caller is taken out", ["caller-removed", "on-behalf-removed"], {
    file: jobs,
    after: "rpc ListJobAttempts(",
    find:
      'callers: [\n        "gateway",\n        "orchestrator"\n      ]\n      on_behalf: [\n' +
      '        "gateway",\n        "orchestrator"\n      ]',
    replace: 'callers: ["gateway"]\n      on_behalf: ["gateway"]',
  }),
  change("the worker may no longer lease", ["caller-removed", "on-behalf-removed"], {
    file: work,
    after: "rpc LeaseJobs(",
    find:
      'callers: [\n        "gateway",\n        "worker"\n      ]\n      on_behalf: [\n' +
      '        "gateway",\n        "worker"\n      ]',
    replace: 'callers: ["gateway"]\n      on_behalf: ["gateway"]',
  }),
  change("a caller is no longer believed", ["on-behalf-removed"], {
    file: work,
    after: "rpc HeartbeatAttempts(",
    find: 'on_behalf: [\n        "gateway",\n        "worker"\n      ]',
    replace: 'on_behalf: ["gateway"]',
  }),
  change("the edge is no longer believed", ["on-behalf-removed"], {
    file: alerts,
    after: "rpc MuteAlert(",
    find: 'on_behalf: ["gateway"]',
    replace: "on_behalf: []",
  }),
  change("a read needs admin", ["scope-changed"], {
    file: observatory,
    after: "rpc GetOverview(",
    find: 'scope: "read"',
    replace: 'scope: "admin"',
  }),
  change("a write needs another scope", ["scope-changed"], {
    file: jobs,
    after: "rpc CancelJob(",
    find: 'scope: "submit"',
    replace: 'scope: "admin"',
  }),
  change("a deadline is halved", ["deadline-shortened"], {
    file: jobs,
    after: "rpc BatchSubmitJobs(",
    find: "deadline: {seconds: 10}",
    replace: "deadline: {seconds: 5}",
  }),
  change("a long poll is cut short", ["deadline-shortened"], {
    file: work,
    after: "rpc LeaseJobs(",
    find: "deadline: {seconds: 33}",
    replace: "deadline: {seconds: 10}",
  }),
  change("a stream without an end gets one", ["deadline-shortened"], {
    file: jobs,
    after: "rpc WatchJob(",
    find: 'scope: "read"',
    replace: 'scope: "read"\n      deadline: {seconds: 60}',
  }),
  change("a repeat needs a key", ["repeat-weakened"], {
    file: missions,
    after: "rpc CancelMission(",
    find: "repeat: NATURAL",
    replace: "repeat: KEYED",
  }),
  change("a read may no longer be repeated", ["repeat-weakened"], {
    file: observatory,
    after: "rpc GetMetrics(",
    find: "repeat: READ",
    replace: "repeat: NEVER",
  }),
  change("nobody repeats a read", ["retry-owner-removed"], {
    file: jobs,
    after: "rpc GetJob(",
    find: "      retry: HOP\n",
    replace: "",
  }),
  change("nobody repeats a result", ["retry-owner-removed"], {
    file: work,
    after: "rpc CompleteAttempts(",
    find: "      retry: HOP\n",
    replace: "",
  }),
  change("a service goes to another workload", ["service-moved"], {
    file: queues,
    find: 'workload: "jobs"',
    replace: 'workload: "orchestrator"',
  }),
  change("another service goes to another workload", ["service-moved"], {
    file: alerts,
    find: 'workload: "alerts"',
    replace: 'workload: "observatory"',
  }),
];

/** What is refused. */
const VALIDATION: readonly BreakingChange[] = [
  change("a pattern is narrowed", ["validation-tightened"], {
    file: jobs,
    after: "message SubmitJobRequest {",
    find: "^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$",
    replace: "^[a-z0-9_][a-z0-9_.:/-]{0,127}$",
  }),
  change("a string may be shorter at most", ["validation-tightened"], {
    file: jobs,
    after: "message CancelJobRequest {",
    find: "max_len = 1024",
    replace: "max_len = 512",
  }),
  change("a number has a lower ceiling", ["validation-tightened"], {
    file: work,
    after: "How many jobs at most: 1 to 100",
    find: "lte: 100",
    replace: "lte: 50",
  }),
  change("a number has a higher floor", ["validation-tightened"], {
    file: queues,
    after: "concurrency = 5",
    find: "gte: 0",
    replace: "gte: 1",
  }),
  change("a list may be shorter at most", ["validation-tightened"], {
    file: work,
    after: "message HeartbeatAttemptsRequest {",
    find: "max_items = 500",
    replace: "max_items = 100",
  }),
  change("items of a list get a limit", ["validation-tightened"], {
    file: jobs,
    after: "message BatchSubmitJobsRequest {",
    find: "max_items: 1000",
    replace: "max_items: 900",
  }),
  change("a duration has a lower ceiling", ["validation-tightened"], {
    file: jobs,
    after: "google.protobuf.Duration timeout = 5",
    find: "lte: {seconds: 604800}",
    replace: "lte: {seconds: 86400}",
  }),
  change("a map may hold less", ["validation-tightened"], {
    file: jobs,
    find: "max_pairs: 32",
    replace: "max_pairs: 16",
  }),
  change("keys of a map are narrowed", ["validation-tightened"], {
    file: jobs,
    after: "max_pairs: 32",
    find: "^[a-z][a-z0-9_.-]{0,62}$",
    replace: "^[a-z][a-z0-9]{0,62}$",
  }),
  change("a free text gets a limit", ["validation-tightened"], {
    file: jobs,
    after: "message SubmitJobStreamRequest {",
    find: "int32 index = 1;",
    replace: "int32 index = 1 [(buf.validate.field).int32.gte = 1];",
  }),
  change("a rule over the whole message is added", ["validation-tightened"], {
    file: missions,
    after: "message CancelMissionRequest {",
    find: "\n",
    replace:
      '\n  option (buf.validate.message).cel = {id: "why" message: "say why" expression: "this.reason != \'\'"};\n',
  }),
  change("rules are applied where none were", ["validation-tightened"], {
    file: jobs,
    after: "message SubmitJobsRequest {",
    find: "SubmitJobRequest job = 2 [(buf.validate.field).ignore = IGNORE_ALWAYS]",
    replace:
      'SubmitJobRequest job = 2 [(buf.validate.field).cel = {id: "x" message: "x" expression: "this.task != \'\'"}]',
  }),
  change("a field has to be sent", ["field-demanded"], {
    file: jobs,
    after: "message SubmitJobRequest {",
    find: "RetryPolicy retry_policy = 6;",
    replace: "RetryPolicy retry_policy = 6 [(buf.validate.field).required = true];",
  }),
  change("a field is declared as required", ["field-demanded"], {
    file: jobs,
    after: "message SubmitJobRequest {",
    find: "google.protobuf.Timestamp run_time = 7;",
    replace: "google.protobuf.Timestamp run_time = 7 [(google.api.field_behavior) = REQUIRED];",
  }),
  change("a new field has to be sent", ["field-demanded"], {
    file: jobs,
    after: "message RetryJobRequest {",
    find: "\n",
    replace: "\n  // Who asks.\n  string principal = 9 [(buf.validate.field).string.min_len = 1];\n",
  }),
  change("a field can no longer be set", ["field-closed"], {
    file: jobs,
    after: "message SubmitJobRequest {",
    find: "google.protobuf.Timestamp run_time = 7;",
    replace: "google.protobuf.Timestamp run_time = 7 [(google.api.field_behavior) = OUTPUT_ONLY];",
  }),
  change("a field can be set once", ["field-closed"], {
    file: jobs,
    after: "message SubmitJobRequest {",
    find: "google.protobuf.Timestamp expire_time = 9;",
    replace: "google.protobuf.Timestamp expire_time = 9 [(google.api.field_behavior) = IMMUTABLE];",
  }),
  change("an answer loses a ceiling", ["event-incompatible", "validation-loosened"], {
    file: job,
    after: "message JobError {",
    find: " [(buf.validate.field).string = {max_len: 256}]",
    replace: "",
  }),
  change("an answer gets a higher ceiling", ["validation-loosened"], {
    file: queues,
    after: "int32 concurrency_per_key = 6",
    find: "lte: 1000000",
    replace: "lte: 2000000",
  }),
  change("what a user typed is logged", ["privacy-dropped"], {
    file: job,
    after: "google.protobuf.Value input = 19",
    find: " [(orrery.options.v1.field).private = true]",
    replace: "",
  }),
  change("what a mission is given is logged", ["privacy-dropped"], {
    file: mission,
    after: "google.protobuf.Value input = 6",
    find: " [(orrery.options.v1.field).private = true]",
    replace: "",
  }),
];

/** Events. */
const EVENTS: readonly BreakingChange[] = [
  change("a message stops being an event", ["event-removed"], {
    file: jobEvents,
    after: "message JobExpired {",
    find: '  option (orrery.options.v1.event) = {version: "1.0.0"};\n',
    replace: "",
  }),
  change("an alert is no longer told", ["event-removed"], {
    file: alertEvents,
    after: "message AlertMuted {",
    find: '  option (orrery.options.v1.event) = {version: "1.0.0"};\n',
    replace: "",
  }),
  change("an event is renamed", ["MESSAGE_NO_DELETE", "event-removed"], {
    file: jobEvents,
    find: "message JobRetrying {",
    replace: "message JobBackedOff {",
  }),
  change("an event of missions is renamed", ["MESSAGE_NO_DELETE", "event-removed"], {
    file: missionEvents,
    find: "message MissionStepUndone {",
    replace: "message MissionStepReverted {",
  }),
  change("an event gets a field and keeps its version", ["event-version-too-small"], {
    file: jobEvents,
    after: "message JobFailed {",
    find: "JobAttempt attempt = 2;",
    replace: "JobAttempt attempt = 2;\n  // Whether a person was told.\n  bool told = 3;",
  }),
  change("the noun of an event gets a field and no version follows", ["event-version-too-small"], {
    file: alert,
    find: "string note = 16;",
    replace: "string note = 16;\n  // Who has to act.\n  string team = 17;",
  }),
  change("the version of an event goes back", ["event-version-too-small"], {
    file: missionEvents,
    after: "message MissionCreated {",
    find: 'version: "1.0.0"',
    replace: 'version: "0.9.0"',
  }),
  change(
    "a field of an event is renamed",
    ["FIELD_SAME_JSON_NAME", "FIELD_SAME_NAME", "event-incompatible"],
    {
      file: alertEvents,
      after: "message AlertFired {",
      find: "Alert alert = 1;",
      replace: "Alert fired = 1;",
    },
  ),
  change("the envelope loses a field", ["FIELD_NO_DELETE", "event-incompatible"], {
    file: envelope,
    find: "  string trace_id = 10;\n",
    replace: "",
  }),
];

/** Reasons and objectives. */
const REASONS: readonly BreakingChange[] = [
  change("a service promises less availability", ["slo-loosened"], {
    file: jobs,
    after: "service JobsService {",
    find: "availability: 0.999",
    replace: "availability: 0.99",
  }),
  change("an RPC may be slower", ["slo-loosened"], {
    file: jobs,
    after: "rpc BatchSubmitJobs(",
    find: "latency: {seconds: 1}",
    replace: "latency: {seconds: 3}",
  }),
  change("fewer calls have to be fast", ["slo-loosened"], {
    file: observatory,
    after: "service ObservatoryService {",
    find: "latency_share: 0.95",
    replace: "latency_share: 0.9",
  }),
  change("a reason travels under another code", ["reason-code-changed"], {
    file: problem,
    after: "JOB_NOT_RETRYABLE = 16",
    find: "code: FAILED_PRECONDITION",
    replace: "code: ABORTED",
  }),
  change("another reason travels under another code", ["reason-code-changed"], {
    file: problem,
    after: "RATE_LIMITED = 24",
    find: "code: RESOURCE_EXHAUSTED",
    replace: "code: UNAVAILABLE",
  }),
  change("a reason has another status", ["reason-status-changed"], {
    file: problem,
    after: "IDEMPOTENCY_KEY_REUSED = 14",
    find: "http_status: 422",
    replace: "http_status: 409",
  }),
  change("another reason has another status", ["reason-status-changed"], {
    file: problem,
    after: "PROJECTION_BEHIND = 31",
    find: "http_status: 504",
    replace: "http_status: 503",
  }),
  change("a reason is no longer worth a repeat", ["reason-retry-changed"], {
    file: problem,
    after: "OVERLOADED = 29",
    find: "      retryable: true\n",
    replace: "",
  }),
  change("a reason becomes worth a repeat", ["reason-retry-changed"], {
    file: problem,
    after: "LEASE_LOST = 18",
    find: 'title: "The lease is no longer held"',
    replace: 'title: "The lease is no longer held"\n      retryable: true',
  }),
  change("an RPC no longer declares a reason", ["rpc-reason-undeclared"], {
    file: observatory,
    after: "rpc ListEvents(",
    find: "reasons: [INVALID_QUERY]",
    replace: "reasons: []",
  }),
  change("another RPC no longer declares a reason", ["rpc-reason-undeclared"], {
    file: jobs,
    after: "rpc GetJob(",
    find: "reasons: [NOT_FOUND]",
    replace: "reasons: []",
  }),
  change("a reason is deleted", ["ENUM_VALUE_NO_DELETE"], {
    file: problem,
    find:
      "    // The answer does not fit what the client takes.\n" +
      "    NOT_ACCEPTABLE = 32 [(reason_rules) = {\n      code: INVALID_ARGUMENT\n" +
      '      http_status: 406\n      title: "No form of the answer that the client takes"\n' +
      '      cause: "The Accept header admits none of the media types that the route has."\n' +
      '      fix: "Accept application/json, or text/event-stream or application/x-ndjson for a stream."\n' +
      "    }];\n",
    replace: "",
  }),
  change("a reason is renamed", ["ENUM_VALUE_SAME_NAME"], {
    file: problem,
    find: "NOT_ACCEPTABLE = 32",
    replace: "ACCEPT_REFUSED = 32",
  }),
];

/** What the types themselves promise: buf's part. */
const TYPES: readonly BreakingChange[] = [
  change("a field of an answer is deleted", ["FIELD_NO_DELETE"], {
    file: observatory,
    after: "message GetMetricsResponse {",
    find: "  // How far the read model is behind, in milliseconds.\n  int32 lag_ms = 3;\n",
    replace: "",
  }),
  change("a field of a request is deleted", ["FIELD_NO_DELETE"], {
    file: work,
    after: "message LeaseJobsRequest {",
    find: "  string request_id = 6 [(buf.validate.field).string.max_len = 128];\n",
    replace: "",
  }),
  change("a field changes its type", ["FIELD_SAME_TYPE"], {
    file: work,
    after: "message Worker {",
    find: "int32 slots = 4;",
    replace: "int64 slots = 4;",
  }),
  change("a field changes its number", ["FIELD_NO_DELETE"], {
    file: work,
    after: "message Worker {",
    find: "bool draining = 7;",
    replace: "bool draining = 8;",
  }),
  change("a field is renamed", ["FIELD_SAME_JSON_NAME", "FIELD_SAME_NAME"], {
    file: observatory,
    after: "message ListJobsResponse {",
    find: "bool total_exact = 7;",
    replace: "bool is_exact = 7;",
  }),
  change("a field loses its presence", ["FIELD_SAME_CARDINALITY"], {
    file: work,
    after: "message AttemptOutcome {",
    find: "optional bool replayed = 7;",
    replace: "bool replayed = 7;",
  }),
  change("a field gets a presence", ["FIELD_SAME_CARDINALITY"], {
    file: work,
    after: "message AttemptOutcome {",
    find: "bool ok = 3;",
    replace: "optional bool ok = 3;",
  }),
  change("a field becomes a list", ["FIELD_SAME_CARDINALITY"], {
    file: observatory,
    after: "message ListEventsRequest {",
    find: "string after = 2 [(buf.validate.field).string.max_len = 64];",
    replace: "repeated string after = 2;",
  }),
  change("an enum value is deleted", ["ENUM_VALUE_NO_DELETE"], {
    file: missions,
    find: "UNDONE = 3;",
    replace: "",
  }),
  change("an enum value is renumbered", ["ENUM_VALUE_SAME_NAME"], {
    file: missions,
    find: "NOT_DONE = 2;",
    replace: "NOTHING_DONE = 2;",
  }),
  change("an RPC is deleted", ["RPC_NO_DELETE"], {
    file: work,
    find: "rpc ListWorkers(",
    replace: "rpc ListLiveWorkers(",
  }),
  change("an RPC answers with another message", ["RPC_SAME_RESPONSE_TYPE"], {
    file: queues,
    find: "rpc GetQueue(GetQueueRequest) returns (GetQueueResponse)",
    replace: "rpc GetQueue(GetQueueRequest) returns (PauseQueueResponse)",
  }),
  change("a field leaves its oneof", ["FIELD_SAME_ONEOF"], {
    file: jobs,
    after: "message SubmitOutcome {",
    find: "    // Why it was refused.\n    orrery.options.v1.Problem error = 2;\n  }",
    replace: "  }\n  // Why it was refused.\n  orrery.options.v1.Problem error = 2;",
  }),
];

/** Changes that break a promise. Each is a patch of the real protos, applied alone. */
export const BREAKING_CHANGES: readonly BreakingChange[] = [
  ...ROUTES,
  ...POLICY,
  ...VALIDATION,
  ...EVENTS,
  ...REASONS,
  ...TYPES,
];
