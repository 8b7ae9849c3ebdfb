import { afterAll, describe, expect, test } from "@jest/globals";
import { ID_OF_STATE, page, time, word } from "@orrery/contracts/pact/pact-matchers";
import { PactRecorder } from "@orrery/contracts/pact/pact-recorder";
import { PACT_KEY } from "@orrery/contracts/pact/verification";
import { MatchersV3 } from "@pact-foundation/pact";
import { orrery } from "./command-line.ts";

const { boolean, eachLike, fromProviderState, integer, like, number, regex, string, uuid } = MatchersV3;
const ID = "01890000-0000-7000-8000-000000000001";
const NOBODY = "01890000-0000-7000-8000-00000000ffff";

const job = (more: object = {}) => ({
  id: uuid(ID),
  task: string("orrery.echo"),
  queue: string("default"),
  status: word("QUEUED"),
  attempt: integer(0),
  maxAttempts: integer(5),
  priority: integer(0),
  createTime: time(),
  labels: like({}),
  ...more,
});
const step = {
  name: string("a"),
  status: word("SUCCEEDED"),
  task: string("t"),
  after: like([]),
  jobId: string(""),
};
const mission = (more: object = {}) => ({
  id: uuid(ID),
  name: string("order"),
  status: word("PENDING"),
  createTime: time(),
  steps: eachLike(step),
  ...more,
});
const queue = (more: object = {}) => ({
  name: string("media"),
  paused: boolean(false),
  depth: like({}),
  oldestWaitSeconds: integer(0),
  ...more,
});
const alert = (more: object = {}) => ({
  id: uuid(ID),
  name: string("ServiceDown"),
  severity: word("WARNING"),
  status: word("FIRING"),
  startTime: time(),
  summary: string("It is down."),
  ...more,
});
const event = {
  aggregateVersion: integer(1),
  eventType: regex("orrery\\.events\\.v1\\.[a-z]+\\.[A-Za-z]+", "orrery.events.v1.jobs.JobQueued"),
  occurredAt: time(),
  eventId: uuid(ID),
  correlationId: string("c"),
  traceId: string("t"),
};
const span = {
  spanId: string("1"),
  parentSpanId: string(""),
  service: string("jobs"),
  name: string("submit"),
};
const problem = (status: number, reason: string, more: object = {}) => ({
  title: string("It cannot be done"),
  status,
  detail: string("because"),
  reason,
  traceId: string("7f3a"),
  ...more,
});

/** What a command line reads besides what it is about. */
interface Reads {
  /** What has to be there before. */
  readonly given?: string;
  /** As in `GET /v1/jobs/{id}`: what stands in braces is named by the state. */
  readonly sends: string;
  readonly answer: object;
}

/** One command line, what it sends, and what it needs of the answer. */
interface Row extends Reads {
  readonly args: readonly string[];
  readonly also?: Reads;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly stdin?: string;
  readonly key?: string;
  readonly status?: number;
  /** The exit code; 0 unless said. */
  readonly code?: number;
  /** What is printed, on either stream. */
  readonly prints: string;
}

const ECHO = '{"name":"order","steps":[{"name":"a","task":"orrery.echo","noUndo":true}]}';
const JOB = "a job that succeeded";
const MISSION = "a mission that succeeded";
const STUCK = "a mission that needs attention";

const JOBS: readonly Row[] = [
  {
    args: ["job", "submit", "orrery.echo", "-i", '{"n":1}'],
    sends: "POST /v1/jobs",
    body: { task: "orrery.echo", input: { n: 1 } },
    status: 202,
    answer: job(),
    prints: ID,
  },
  {
    args: ["job", "submit", "no task!"],
    sends: "POST /v1/jobs",
    body: { task: "no task!" },
    status: 400,
    answer: problem(400, "INVALID_REQUEST", {
      fieldViolations: eachLike({ field: string("task"), description: string("no") }),
    }),
    code: 2,
    prints: "task: no",
  },
  {
    args: ["job", "get", ID],
    given: JOB,
    sends: "GET /v1/observatory/jobs/{id}",
    answer: job({ startTime: time(), endTime: time() }),
    prints: ID,
  },
  {
    args: ["job", "get", ID, "--current"],
    given: "a job that waits",
    sends: "GET /v1/jobs/{id}",
    answer: job({ blocked: { message: string("Nobody serves it.") } }),
    prints: "Nobody serves it.",
  },
  {
    args: ["job", "get", NOBODY, "--current"],
    sends: `GET /v1/jobs/${NOBODY}`,
    status: 404,
    answer: problem(404, "NOT_FOUND"),
    code: 3,
    prints: "NOT_FOUND",
  },
  {
    args: ["job", "ls", "-q", "status:succeeded", "--limit", "5"],
    given: JOB,
    sends: "GET /v1/jobs",
    query: { q: "status:succeeded", pageSize: "5" },
    answer: { jobs: eachLike(job()), ...page() },
    prints: ID,
  },
  {
    args: ["job", "ls", "-q", "nonsense:1"],
    sends: "GET /v1/jobs",
    query: { q: "nonsense:1", pageSize: "50" },
    status: 400,
    answer: problem(400, "INVALID_QUERY"),
    code: 2,
    prints: "INVALID_QUERY",
  },
  {
    args: ["job", "ls"],
    sends: "GET /v1/jobs",
    query: { pageSize: "50" },
    key: "orr_wrong",
    status: 401,
    answer: problem(401, "UNAUTHENTICATED"),
    code: 4,
    prints: "UNAUTHENTICATED",
  },
  {
    args: ["job", "attempts", ID],
    given: JOB,
    sends: "GET /v1/observatory/jobs/{id}/attempts",
    answer: {
      attempts: eachLike({
        attempt: integer(1),
        status: word("SUCCEEDED"),
        worker: string("w-1"),
        startTime: time(),
        endTime: time(),
      }),
    },
    prints: "w-1",
  },
  {
    args: ["job", "events", ID],
    given: JOB,
    sends: "GET /v1/observatory/jobs/{id}/history",
    query: { pageSize: "1000" },
    answer: { events: eachLike(event), nextPageToken: string("") },
    prints: "JobQueued",
  },
  {
    args: ["job", "trace", ID, "-o", "json"],
    given: "a job whose trace is there",
    sends: "GET /v1/observatory/jobs/{id}/trace",
    answer: {
      traceId: string("7f3a"),
      complete: boolean(true),
      spans: eachLike({
        ...span,
        startTime: time(),
        duration: regex("[0-9.]+s", "0.1s"),
        failed: boolean(false),
      }),
    },
    prints: "submit",
  },
  {
    args: ["job", "cancel", ID],
    given: "a job that waits",
    sends: "POST /v1/jobs/{id}:cancel",
    body: {},
    answer: job({ status: "CANCELLED" }),
    prints: "CANCELLED",
  },
  {
    args: ["job", "cancel", ID, "--reason", "late"],
    given: JOB,
    sends: "POST /v1/jobs/{id}:cancel",
    body: { reason: "late" },
    status: 409,
    answer: problem(409, "JOB_ALREADY_FINISHED"),
    code: 10,
    prints: "JOB_ALREADY_FINISHED",
  },
  {
    args: ["job", "retry", ID],
    given: "a job that was cancelled",
    sends: "POST /v1/jobs/{id}:retry",
    body: {},
    answer: job(),
    prints: "QUEUED",
  },
];

const MISSIONS: readonly Row[] = [
  {
    args: ["mission", "launch", "-"],
    stdin: ECHO,
    sends: "POST /v1/missions",
    body: JSON.parse(ECHO) as object,
    status: 202,
    answer: mission(),
    prints: ID,
  },
  {
    args: ["mission", "get", ID],
    given: MISSION,
    sends: "GET /v1/observatory/missions/{id}",
    answer: mission(),
    prints: "order",
  },
  {
    args: ["mission", "get", ID, "--current"],
    given: MISSION,
    sends: "GET /v1/missions/{id}",
    answer: mission(),
    prints: "order",
  },
  {
    args: ["mission", "ls", "--limit", "5"],
    given: MISSION,
    sends: "GET /v1/observatory/missions",
    query: { pageSize: "5" },
    answer: { missions: eachLike(mission()), ...page() },
    prints: ID,
  },
  {
    args: ["mission", "events", ID],
    given: MISSION,
    sends: "GET /v1/observatory/missions/{id}/history",
    query: { pageSize: "1000" },
    answer: { events: eachLike(event), nextPageToken: string("") },
    prints: "JobQueued",
  },
  {
    args: ["mission", "cancel", ID],
    given: "a mission under way",
    sends: "POST /v1/missions/{id}:cancel",
    body: {},
    answer: mission(),
    prints: ID,
  },
  {
    args: ["mission", "retry", ID],
    given: STUCK,
    sends: "POST /v1/missions/{id}:retry",
    body: {},
    answer: mission(),
    prints: ID,
  },
  {
    args: ["mission", "retry", ID, "--reason", "again"],
    given: MISSION,
    sends: "POST /v1/missions/{id}:retry",
    body: { reason: "again" },
    status: 409,
    answer: problem(409, "MISSION_NOT_RETRYABLE"),
    code: 10,
    prints: "MISSION_NOT_RETRYABLE",
  },
  {
    args: ["mission", "resolve", ID, "--step", "second", "--outcome", "done", "--note", "by hand"],
    given: STUCK,
    sends: "POST /v1/missions/{id}:resolve",
    body: { step: "second", outcome: "DONE", note: "by hand" },
    answer: mission(),
    prints: ID,
  },
];

const THE_QUEUES: Reads = {
  given: "the queue media",
  sends: "GET /v1/observatory/queues",
  answer: { queues: eachLike({ name: string("media") }) },
};
const PLATFORM: readonly Row[] = [
  {
    args: ["queue", "ls"],
    given: JOB,
    sends: "GET /v1/observatory/queues",
    answer: { queues: eachLike(queue()) },
    prints: "media",
  },
  {
    args: ["queue", "pause", "media"],
    given: "the queue media",
    also: THE_QUEUES,
    sends: "POST /v1/queues/media:pause",
    body: {},
    answer: queue({ paused: true }),
    prints: "paused\ttrue",
  },
  {
    args: ["queue", "resume", "media"],
    given: "the queue media",
    also: THE_QUEUES,
    sends: "POST /v1/queues/media:resume",
    body: {},
    answer: queue({ paused: false }),
    prints: "paused\tfalse",
  },
  {
    args: ["queue", "set", "media", "--concurrency", "5", "--rate", "100/1s"],
    given: "the queue media",
    also: THE_QUEUES,
    sends: "PATCH /v1/queues/media",
    query: { updateMask: "concurrency,rate" },
    body: { concurrency: 5, rate: { limit: 100, period: "1s" } },
    answer: queue({ concurrency: 5 }),
    prints: "media",
  },
  {
    args: ["worker", "ls"],
    sends: "GET /v1/observatory/workers",
    answer: {
      workers: eachLike({
        worker: string("w-1"),
        draining: boolean(false),
        leases: integer(0),
        slots: integer(16),
        lastSeenTime: time(),
        tasks: like([]),
      }),
    },
    prints: "w-1",
  },
  {
    args: ["metrics"],
    sends: "GET /v1/metrics",
    answer: {
      figures: eachLike({
        name: string("missions_open"),
        value: number(3),
        unit: string("missions"),
        description: string("Missions that have not ended."),
      }),
    },
    prints: "missions_open",
  },
  {
    args: ["alert", "ls", "--all"],
    given: "an alert that fires",
    sends: "GET /v1/alerts",
    query: { includeResolved: "true" },
    answer: { alerts: eachLike(alert()) },
    prints: "ServiceDown",
  },
  {
    args: ["alert", "ack", ID, "--note", "on it"],
    given: "an alert that fires",
    sends: "POST /v1/alerts/{id}:acknowledge",
    body: { note: "on it" },
    answer: alert({ status: "ACKNOWLEDGED" }),
    prints: "ACKNOWLEDGED",
  },
  {
    args: ["alert", "mute", ID, "--for", "2h"],
    given: "an alert that fires",
    sends: "POST /v1/alerts/{id}:mute",
    body: { duration: "7200s" },
    answer: alert({ status: "MUTED" }),
    prints: "MUTED",
  },
];

describe("what the command line needs of the edge", () => {
  const recorder = new PactRecorder("cli", "edge");
  afterAll(() => recorder[Symbol.dispose]());

  const interaction = (description: string, { given, sends }: Reads, { query, body, key }: Partial<Row>) => {
    const [method = "", path = ""] = sends.split(" ");
    const asked = recorder.pact.addInteraction();
    if (given !== undefined) asked.given(given);
    const at = path.includes("{id}")
      ? fromProviderState(path.replace("{id}", ID_OF_STATE), path.replace("{id}", ID))
      : path;
    return asked.uponReceiving(description).withRequest(method, at as unknown as string, (request) => {
      request.headers({ authorization: `Bearer ${key ?? PACT_KEY}` });
      if (query !== undefined) request.query(query);
      if (body !== undefined) request.jsonBody(body);
    });
  };

  test.each([...JOBS, ...MISSIONS, ...PLATFORM].map((row) => [`orrery ${row.args.join(" ")}`, row] as const))(
    "is enough for: %s",
    async (description, row) => {
      const { args, also, status = 200, answer, code = 0, prints } = row;
      if (also !== undefined)
        interaction(`orrery, which looks first: ${also.sends}`, also, {}).willRespondWith(200, (response) => {
          response.jsonBody(also.answer);
        });
      await interaction(description, row, row)
        .willRespondWith(status, (response) => {
          response.jsonBody(answer);
          if (status >= 400) response.headers({ "Content-Type": "application/problem+json" });
        })
        .executeTest(async ({ url }) => {
          const env = row.key === undefined ? {} : { ORRERY_API_KEY: row.key };
          const stdin = row.stdin === undefined ? {} : { stdin: row.stdin };
          const ran = await orrery(args, { url, env, ...stdin });
          expect([ran.code, `${ran.stdout}${ran.stderr}`]).toEqual([code, expect.stringContaining(prints)]);
        });
    },
  );

  test("is what the edge is held to", () => {
    expect(() => recorder.settle()).not.toThrow();
  });
});
