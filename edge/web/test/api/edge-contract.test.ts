import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { fresh, ID_OF_STATE, page, time, word } from "@orrery/contracts/pact/pact-matchers";
import { PactRecorder } from "@orrery/contracts/pact/pact-recorder";
import { PACT_KEY } from "@orrery/contracts/pact/verification";
import { MatchersV3 } from "@pact-foundation/pact";
import { QueryClient } from "@tanstack/react-query";
import type { Problem } from "../../src/api/problem.ts";
import { createReader, type Reader } from "../../src/api/read.ts";
import * as readings from "../../src/data/readings.ts";

const { boolean, eachLike, fromProviderState, integer, like, number, regex, string, uuid } = MatchersV3;
const ID = "01890000-0000-7000-8000-000000000001";
const NOBODY = "01890000-0000-7000-8000-00000000ffff";

const job = {
  id: uuid(ID),
  task: string("video.render"),
  queue: string("default"),
  status: word("SUCCEEDED"),
  version: integer(3),
  attempt: integer(1),
  maxAttempts: integer(5),
  priority: integer(0),
  createTime: time(),
  labels: like({}),
  missionId: string(""),
  step: string(""),
};
const mission = {
  id: uuid(ID),
  name: string("book-trip"),
  status: word("SUCCEEDED"),
  version: integer(3),
  createTime: time(),
  labels: like({}),
  steps: eachLike({
    name: string("reserve"),
    status: word("SUCCEEDED"),
    task: string("hotel.reserve"),
    jobId: string(""),
    undoJobId: string(""),
    after: like([]),
    undoTask: string(""),
    noUndo: boolean(true),
    pivot: boolean(false),
  }),
};
const queue = {
  name: string("media"),
  paused: boolean(false),
  depth: like({}),
  oldestWaitSeconds: integer(0),
};
const limits = { concurrency: integer(0), concurrencyPerKey: integer(0) };
const alert = {
  id: uuid(ID),
  name: string("ServiceDown"),
  severity: word("WARNING"),
  summary: string("It is down."),
  description: string(""),
  startTime: time(),
  status: word("FIRING"),
  version: integer(1),
  runbook: string(""),
  labels: like({}),
  acknowledgedBy: string(""),
  mutedBy: string(""),
  note: string(""),
};
const event = {
  eventId: uuid(ID),
  eventType: regex("orrery\\.events\\.v1\\.[a-z]+\\.[A-Za-z]+", "orrery.events.v1.jobs.JobQueued"),
  occurredAt: time(),
  aggregateId: uuid(ID),
  aggregateVersion: integer(1),
  payload: like({}),
};
const trace = {
  traceId: string("4bf9"),
  complete: boolean(true),
  spans: eachLike({
    spanId: string("1"),
    parentSpanId: string(""),
    name: string("submit"),
    service: string("jobs"),
    startTime: time(),
    duration: regex("[0-9.]+s", "0.1s"),
    failed: boolean(false),
    attributes: like({}),
  }),
};
const overview = {
  project: string("demo"),
  health: string("Healthy."),
  jobs: like({}),
  missions: like({}),
  totalJobs: integer(1),
  workers: integer(1),
  queues: eachLike(queue),
  failures: like([]),
  recentJobs: eachLike(job),
  alerts: like([]),
  attentionMissions: like([]),
  readModel: string("embedded"),
  ...fresh(),
};
const metrics = {
  figures: eachLike({ name: string("n"), description: string("d"), unit: string("1"), value: number(1) }),
  asOf: time(),
  lagMs: integer(0),
};

/** One reading of a page: what makes it, what has to be there, what it asks, and what it needs of the answer. */
interface Row {
  readonly read: (client: QueryClient, reader: Reader) => Promise<unknown>;
  readonly given?: string;
  /** What stands in braces is named by the state. */
  readonly asks: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly answer: object;
}

const LIST = { q: "", orderBy: "" };
const WHOLE = { pageSize: "1000" };
const JOB = "a job that succeeded";
const MISSION = "a mission that succeeded";
const of = (noun: "jobs" | "missions", part = ""): string => `/v1/observatory/${noun}/{id}${part}`;

const READINGS: Readonly<Record<string, Row>> = {
  overview: {
    read: (c, r) => c.fetchQuery(readings.overview(r)),
    given: JOB,
    asks: "/v1/overview",
    answer: overview,
  },
  metrics: {
    read: (c, r) => c.fetchQuery(readings.metrics(r)),
    given: JOB,
    asks: "/v1/metrics",
    answer: metrics,
  },
  jobs: {
    read: (c, r) =>
      c.fetchInfiniteQuery(readings.jobs(r, { q: "status:succeeded", orderBy: "createTime desc" })),
    given: JOB,
    asks: "/v1/jobs",
    query: { q: "status:succeeded", orderBy: "createTime desc", pageSize: "50" },
    answer: { jobs: eachLike(job), ...page() },
  },
  newestJobs: {
    read: (c, r) => c.fetchQuery(readings.newestJobs(r, LIST)),
    given: JOB,
    asks: "/v1/jobs",
    query: { pageSize: "50" },
    answer: { jobs: eachLike(job), ...page() },
  },
  job: { read: (c, r) => c.fetchQuery(readings.job(r, ID)), given: JOB, asks: of("jobs"), answer: job },
  attempts: {
    read: (c, r) => c.fetchQuery(readings.attempts(r, ID)),
    given: JOB,
    asks: of("jobs", "/attempts"),
    answer: {
      attempts: eachLike({
        attempt: integer(1),
        status: word("SUCCEEDED"),
        worker: string("w-1"),
        startTime: time(),
        endTime: time(),
      }),
      ...fresh(),
    },
  },
  jobEvents: {
    read: (c, r) => c.fetchQuery(readings.jobEvents(r, ID)),
    given: JOB,
    asks: of("jobs", "/history"),
    query: WHOLE,
    answer: { events: eachLike(event), nextPageToken: string(""), ...fresh() },
  },
  jobTrace: {
    read: (c, r) => c.fetchQuery(readings.jobTrace(r, ID)),
    given: "a job whose trace is there",
    asks: of("jobs", "/trace"),
    answer: trace,
  },
  missions: {
    read: (c, r) => c.fetchInfiniteQuery(readings.missions(r, LIST)),
    given: MISSION,
    asks: "/v1/observatory/missions",
    query: { pageSize: "50" },
    answer: { missions: eachLike(mission), ...page() },
  },
  mission: {
    read: (c, r) => c.fetchQuery(readings.mission(r, ID)),
    given: MISSION,
    asks: of("missions"),
    answer: mission,
  },
  missionEvents: {
    read: (c, r) => c.fetchQuery(readings.missionEvents(r, ID)),
    given: MISSION,
    asks: of("missions", "/history"),
    query: WHOLE,
    answer: { events: eachLike(event), nextPageToken: string(""), ...fresh() },
  },
  missionTrace: {
    read: (c, r) => c.fetchQuery(readings.missionTrace(r, ID)),
    given: MISSION,
    asks: of("missions", "/trace"),
    answer: { traceId: string(""), complete: boolean(true), spans: like([]) },
  },
  queues: {
    read: (c, r) => c.fetchQuery(readings.queues(r)),
    given: JOB,
    asks: "/v1/observatory/queues",
    answer: { queues: eachLike({ ...queue, ...limits }) },
  },
  workers: {
    read: (c, r) => c.fetchQuery(readings.workers(r)),
    asks: "/v1/observatory/workers",
    answer: {
      workers: eachLike({
        worker: string("w-1"),
        tasks: like([]),
        queues: like([]),
        slots: integer(16),
        leases: integer(0),
        draining: boolean(false),
        lastSeenTime: time(),
      }),
    },
  },
  alerts: {
    read: (c, r) => c.fetchQuery(readings.alerts(r, true)),
    given: "an alert that fires",
    asks: "/v1/alerts",
    query: { includeResolved: "true", pageSize: "100" },
    answer: { alerts: eachLike(alert), asOf: time(), lagMs: integer(0) },
  },
};

/** What a page makes of a refusal. */
const REFUSALS = [
  {
    reason: "INVALID_QUERY",
    status: 400,
    key: PACT_KEY,
    asks: "/v1/jobs",
    query: { q: "stauts:failed", pageSize: "50" },
    read: (c: QueryClient, r: Reader) =>
      c.fetchQuery(readings.newestJobs(r, { q: "stauts:failed", orderBy: "" })),
  },
  {
    reason: "NOT_FOUND",
    status: 404,
    key: PACT_KEY,
    asks: `/v1/observatory/jobs/${NOBODY}`,
    query: {},
    read: (c: QueryClient, r: Reader) => c.fetchQuery(readings.job(r, NOBODY)),
  },
  {
    reason: "UNAUTHENTICATED",
    status: 401,
    key: "orr_wrong",
    asks: "/v1/overview",
    query: {},
    read: (c: QueryClient, r: Reader) => c.fetchQuery(readings.overview(r)),
  },
] as const;

describe("what the page needs of the edge", () => {
  const recorder = new PactRecorder("page", "edge");
  const inBrowser = globalThis.fetch;
  let edge = "";
  let client: QueryClient;
  beforeAll(() => {
    // A browser reads an address without a host from where the page came.
    globalThis.fetch = (target, init) => inBrowser(new URL(target as string, edge), init);
    client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  });
  afterEach(() => client.clear());
  afterAll(() => {
    globalThis.fetch = inBrowser;
    recorder[Symbol.dispose]();
  });

  test("is recorded for every reading that its pages make, but for a file and lists that are there already", () => {
    const left = Object.keys(readings).filter((name) => !(name in READINGS));
    expect(left.sort()).toEqual(["newestMissions", "runbook", "waitingJobs"]);
  });

  test.each(Object.entries(READINGS))(
    "is enough to read %s",
    async (name, { read, given, asks, query, answer }) => {
      const asked = recorder.pact.addInteraction();
      if (given !== undefined) asked.given(given);
      const path = asks.includes("{id}")
        ? (fromProviderState(
            asks.replace("{id}", ID_OF_STATE),
            asks.replace("{id}", ID),
          ) as unknown as string)
        : asks;
      await asked
        .uponReceiving(`the reading ${name}`)
        .withRequest("GET", path, (request) => {
          request.headers({ authorization: `Bearer ${PACT_KEY}` });
          if (query !== undefined) request.query(query);
        })
        .willRespondWith(200, (response) => void response.jsonBody(answer))
        .executeTest(async ({ url }) => {
          edge = url;
          const reader = createReader(PACT_KEY, () => undefined);
          await expect(read(client, reader)).resolves.toBeDefined();
        });
    },
  );

  test.each(REFUSALS)("is enough to say $reason", async ({ reason, status, key, asks, query, read }) => {
    const problem = {
      title: string("No"),
      status,
      detail: string("because"),
      reason,
      traceId: string("7f3a"),
    };
    await recorder.pact
      .addInteraction()
      .uponReceiving(`a reading that is refused with ${reason}`)
      .withRequest("GET", asks, (request) => {
        request.headers({ authorization: `Bearer ${key}` });
        request.query(query);
      })
      .willRespondWith(status, (response) => {
        response.jsonBody(problem);
        response.headers({ "Content-Type": "application/problem+json" });
      })
      .executeTest(async ({ url }) => {
        edge = url;
        const told = await read(
          client,
          createReader(key, () => undefined),
        ).catch((error: unknown) => error);
        expect(told as Problem).toMatchObject({ reason, status, detail: "because", traceId: "7f3a" });
      });
  });

  test("is what the edge is held to", () => {
    expect(() => recorder.settle()).not.toThrow();
  });
});
