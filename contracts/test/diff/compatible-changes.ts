import { type Edit, FILES, type ProtoChange } from "./proto-change.ts";

const change = (title: string, ...edits: readonly Edit[]): ProtoChange => ({ title, edits });

const { jobs, jobEvents, work, queues, missions, observatory, alerts, alert, alertEvents, problem } = FILES;

const EVERY_ALERT_EVENT: readonly Edit[] = [
  "AlertFired",
  "AlertAcknowledged",
  "AlertMuted",
  "AlertResolved",
].map((name) => ({
  file: alertEvents,
  after: `message ${name} {`,
  find: 'version: "1.0.0"',
  replace: 'version: "1.1.0"',
}));

/** Changes that break nothing. Each is a patch of the real protos, applied alone. */
export const COMPATIBLE_CHANGES: readonly ProtoChange[] = [
  change("an RPC gets other words", {
    file: jobs,
    find: "// Submits one job. It is durable when this answers.",
    replace: "// Takes one job. Once this answers, it is durable.",
  }),
  change("an answer gets a field", {
    file: observatory,
    after: "message GetMetricsResponse {",
    find: "int32 lag_ms = 3;",
    replace: "int32 lag_ms = 3;\n  // Where they were measured.\n  string source = 4;",
  }),
  change("a request gets a field that may be left out", {
    file: jobs,
    after: "message CancelJobRequest {",
    find: "\n",
    replace: "\n  // Whether to wait for the worker.\n  bool wait = 9;\n",
  }),
  change("a request gets a field with a limit that its zero is within", {
    file: work,
    after: "message LeaseJobsRequest {",
    find: "\n",
    replace: "\n  // Which zone.\n  string zone = 9 [(buf.validate.field).string.max_len = 64];\n",
  }),
  change("a request gets an optional field with a floor", {
    file: work,
    after: "message LeaseJobsRequest {",
    find: "\n",
    replace: "\n  // How long.\n  optional int32 lease_seconds = 9 [(buf.validate.field).int32.gte = 1];\n",
  }),
  change("a service gets an RPC", {
    file: queues,
    find: "  // Reads one queue.\n",
    replace: `  // Counts queues.
  rpc CountQueues(ListQueuesRequest) returns (ListQueuesResponse) {
    option (google.api.http) = {get: "/v1/queues:count"};
    option (orrery.options.v1.method) = {
      exposure: EDGE
      callers: ["gateway"]
      on_behalf: ["gateway"]
      scope: "read"
      deadline: {seconds: 2}
      repeat: READ
    };
  }
  // Reads one queue.
`,
  }),
  change("a file gets a message", {
    file: work,
    find: "// Names one lease.\n",
    replace:
      "// Names a pool.\nmessage Pool {\n  // Its name.\n  string name = 1;\n}\n\n// Names one lease.\n",
  }),
  change("an enum of answers gets a value", {
    file: observatory,
    find: "// Which alerts.\n",
    replace:
      "// How fresh.\nenum Freshness {\n  // Never sent.\n  FRESHNESS_UNSPECIFIED = 0;\n" +
      "  // Now.\n  LIVE = 1;\n}\n\n// Which alerts.\n",
  }),
  change("there is one reason more", {
    file: problem,
    find: "    // It is over.\n",
    replace: `    // Too old.
    CLIENT_TOO_OLD = 99 [(reason_rules) = {
      code: FAILED_PRECONDITION
      http_status: 426
      title: "The client is too old"
      cause: "It is."
      fix: "Update it."
    }];
    // It is over.
`,
  }),
  change("an RPC declares one reason more", {
    file: observatory,
    after: "rpc ListEvents(",
    find: "reasons: [INVALID_QUERY]",
    replace: "reasons: [INVALID_QUERY, INVALID_PAGE_TOKEN]",
  }),
  change("a reason gets another title", {
    file: problem,
    find: 'title: "The query cannot be read"',
    replace: 'title: "The query is not one"',
  }),
  change("a reason gets another cause and fix", {
    file: problem,
    find: 'fix: "Give your task another name."',
    replace: 'fix: "Choose a name that does not begin with orrery."',
  }),
  change("a route is reached by a second one as well", {
    file: jobs,
    find: 'get: "/v1/jobs/{id}/attempts"',
    replace: 'get: "/v1/jobs/{id}/attempts"\n additional_bindings: {get: "/v1/jobs/{id}/tries"}',
  }),
  change("a caller is let in", {
    file: queues,
    after: "rpc GetQueue(",
    find: 'callers: ["gateway"]',
    replace: 'callers: ["gateway", "observatory"]',
  }),
  change("a caller is believed", {
    file: queues,
    after: "rpc GetQueue(",
    find: 'callers: ["gateway"]\n      on_behalf: ["gateway"]',
    replace: 'callers: ["gateway", "orchestrator"]\n      on_behalf: ["gateway", "orchestrator"]',
  }),
  change("callers change their order", {
    file: work,
    after: "rpc LeaseJobs(",
    find: '"gateway",\n        "worker"',
    replace: '"worker",\n        "gateway"',
  }),
  change("a deadline grows", {
    file: jobs,
    after: "rpc GetJob(",
    find: "deadline: {seconds: 2}",
    replace: "deadline: {seconds: 4}",
  }),
  change("a deadline is written in another unit", {
    file: jobs,
    after: "rpc GetJob(",
    find: "deadline: {seconds: 2}",
    replace: "deadline: {seconds: 1 nanos: 1000000000}",
  }),
  change("a repeat becomes safe", {
    file: missions,
    after: "rpc RetryMission(",
    find: "repeat: KEYED",
    replace: "repeat: NATURAL",
  }),
  change("the hop repeats a write that may be repeated", {
    file: alerts,
    after: "rpc AcknowledgeAlert(",
    find: "repeat: NATURAL",
    replace: "repeat: NATURAL\n      retry: HOP",
  }),
  change("an RPC of the inside is exposed", {
    file: jobs,
    after: "rpc SubmitJobs(",
    find: "exposure: INTERNAL",
    replace: 'exposure: EDGE\n      scope: "submit"',
  }),
  change("a request may be longer", {
    file: jobs,
    after: "message CancelJobRequest {",
    find: "max_len = 1024",
    replace: "max_len = 2048",
  }),
  change("a request may hold more items", {
    file: work,
    after: "message HeartbeatAttemptsRequest {",
    find: "max_items = 500",
    replace: "max_items = 1000",
  }),
  change("a request loses a limit", {
    file: work,
    after: "message LeaseJobsRequest {",
    find: "string request_id = 6 [(buf.validate.field).string.max_len = 128];",
    replace: "string request_id = 6;",
  }),
  change("a request may wait longer", {
    file: work,
    after: "int32 wait_seconds = 5",
    find: "lte: 30",
    replace: "lte: 60",
  }),
  change("a rule over a whole request is dropped", {
    file: alerts,
    find: `  option (buf.validate.message).cel = {
    id: "until_or_for"
    message: "set exactly one of untilTime and duration"
    expression: "has(this.until_time) != has(this.duration)"
  };
`,
    replace: "",
  }),
  change("a rule tells its refusal in other words", {
    file: alerts,
    find: 'message: "set exactly one of untilTime and duration"',
    replace: 'message: "set untilTime or duration, and not both"',
  }),
  change("a field need not be sent any more", {
    file: queues,
    after: "message UpdateQueueRequest {",
    find: " [(buf.validate.field).required = true]",
    replace: "",
  }),
  change("an answer promises a limit", {
    file: observatory,
    after: "message Span {",
    find: "string span_id = 1;",
    replace: "string span_id = 1 [(buf.validate.field).string.max_len = 16];",
  }),
  change("one more field is kept out of logs", {
    file: work,
    after: "message Lease {",
    find: "map<string, string> labels = 8;",
    replace: "map<string, string> labels = 8 [(orrery.options.v1.field).private = true];",
  }),
  change(
    "the noun of events gets a field, and their minor versions follow",
    {
      file: alert,
      find: "string note = 16;",
      replace: "string note = 16;\n  // Who has to act.\n  string team = 17;",
    },
    ...EVERY_ALERT_EVENT,
  ),
  change("an event gets a field and its minor version follows", {
    file: jobEvents,
    after: "message JobFailed {",
    find: '{version: "1.0.0"};',
    replace: '{version: "1.1.0"};\n\n  // Whether a person was told.\n  bool told = 3;',
  }),
  change("an event gets a higher version than it needs", {
    file: jobEvents,
    after: "message JobFailed {",
    find: 'version: "1.0.0"',
    replace: 'version: "1.2.0"',
  }),
  change("there is one event more", {
    file: jobEvents,
    find: "// A job ended: SUCCEEDED.\n",
    replace:
      "// A job was looked at.\nmessage JobSeen {\n" +
      '  option (orrery.options.v1.event) = {version: "1.0.0"};\n\n  // The job.\n' +
      "  Job job = 1;\n}\n\n// A job ended: SUCCEEDED.\n",
  }),
  change("a deleted number is reserved in advance", {
    file: work,
    after: "message Worker {",
    find: "\n",
    replace: "\n  reserved 90 to 99;\n",
  }),
];
