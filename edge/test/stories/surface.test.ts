import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connect } from "nats";
import { eventually } from "../../../mesh/chassis/src/testing/eventually.ts";
import { type Answer, Platform } from "../../../mesh/dev/testing/platform.ts";
import { readEvents } from "../../../mesh/dev/testing/sse.ts";

/** The whole surface twice: one of everything, then two of everything, where every call may meet another replica. */
describe.each(["1", "2"])("with %s of every process", (replicas) => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await Platform.start({ REPLICAS: replicas });
  }, 240_000);
  afterAll(async () => platform[Symbol.asyncDispose](), 90_000);

  const post = (path: string, body: unknown, headers: Record<string, string> = {}, key?: string | null) =>
    platform.send("POST", path, { body, headers, ...(key === undefined ? {} : { key }) });
  const get = (path: string, key?: string | null) =>
    platform.send("GET", path, key === undefined ? {} : { key });
  const submit = async (job: object): Promise<string> => {
    const answer = await post("/v1/jobs", job);
    expect(answer.status).toBe(202);
    return answer.body.id;
  };
  const run = async (job: object) => (await post("/v1/jobs", job, { prefer: "wait=30" })).body;
  const ended = (id: string) =>
    platform.readUntil(`/v1/jobs/${id}`, ({ body }) =>
      ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"].includes(body.status),
    );
  const names = async (id: string) =>
    (await get(`/v1/jobs/${id}/history`)).body.events.map((event: { eventType: string }) =>
      event.eventType.split(".").pop(),
    );

  describe("a job", () => {
    test("is accepted with 202 and a Location, and can be read at once", async () => {
      const answer = await post("/v1/jobs", {
        task: "orrery.echo",
        input: { a: 1 },
        labels: { team: "blue" },
      });
      expect(answer.status).toBe(202);
      expect(answer.headers.get("location")).toBe(`/v1/jobs/${answer.body.id}`);
      expect(answer.headers.get("orrery-consistency-token")).toBeTruthy();
      expect(answer.body).toMatchObject({
        project: "demo",
        task: "orrery.echo",
        queue: "default",
        priority: 0,
        maxAttempts: 5,
        timeout: "600s",
        retryPolicy: { initialDelay: "1s", factor: 2, maxDelay: "300s", jitter: 0.2 },
        labels: { team: "blue" },
      });
      expect((await get(`/v1/jobs/${answer.body.id}`)).status).toBe(200);
    });

    test("answers with its result when it is waited for", async () => {
      const input = { list: [1, "two", null, { three: 3.5 }], text: "ü\u0000" };
      const answer = await post("/v1/jobs", { task: "orrery.echo", input }, { prefer: "wait=30" });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("preference-applied")).toContain("wait");
      expect(answer.body).toMatchObject({ status: "SUCCEEDED", output: input, attempt: 1, version: 3 });
      expect(await names(answer.body.id)).toEqual(["JobQueued", "JobStarted", "JobSucceeded"]);
    });

    test("with a delay is scheduled, then queued, started and done, with a reason while it waits", async () => {
      const id = await submit({ task: "orrery.echo", delay: "1s" });
      const waiting = (await get(`/v1/jobs/${id}`)).body;
      expect(waiting).toMatchObject({ status: "SCHEDULED", blocked: { reason: "SCHEDULED" } });
      await ended(id);
      expect(await names(id)).toEqual(["JobScheduled", "JobQueued", "JobStarted", "JobSucceeded"]);
    });

    test("that fails twice is retried and then succeeds, with each attempt on record", async () => {
      const job = await run({
        task: "orrery.fail",
        input: { message: "not yet", retryable: true, times: 1 },
        retryPolicy: { initialDelay: "0.1s" },
      });
      expect(job.status).toBe("SUCCEEDED");
      const { body } = await get(`/v1/jobs/${job.id}/attempts`);
      expect(body.attempts.map((attempt: { status: string }) => attempt.status)).toEqual([
        "FAILED",
        "SUCCEEDED",
      ]);
      expect(await names(job.id)).toEqual([
        ...["JobQueued", "JobStarted", "JobRetrying", "JobQueued", "JobStarted", "JobSucceeded"],
      ]);
    });

    test("out of attempts fails, and a retry runs it again under the same id", async () => {
      const job = await run({
        task: "orrery.fail",
        input: { message: "no", retryable: true },
        maxAttempts: 2,
        retryPolicy: { initialDelay: "0.1s" },
      });
      expect(job).toMatchObject({ status: "FAILED", attempt: 2, error: { message: "no" } });
      const retried = await post(`/v1/jobs/${job.id}:retry`, { reason: "again" });
      expect(retried.body).toMatchObject({ id: job.id, status: "QUEUED", maxAttempts: 4 });
      expect(retried.body.endTime).toBeUndefined();
      await ended(job.id);
      expect((await post(`/v1/jobs/${(await run({ task: "orrery.echo" })).id}:retry`, {})).body.reason).toBe(
        "JOB_NOT_RETRYABLE",
      );
    });

    test("whose error is not retryable fails at once", async () => {
      const job = await run({ task: "orrery.fail", input: { message: "never", retryable: false } });
      expect(job).toMatchObject({ status: "FAILED", attempt: 1 });
    });

    test("is cancelled at once while it waits, and by its worker while it runs", async () => {
      const waiting = await submit({ task: "nobody.serves", queue: "idle" });
      expect((await post(`/v1/jobs/${waiting}:cancel`, { reason: "test" })).body.status).toBe("CANCELLED");
      expect((await post(`/v1/jobs/${waiting}:cancel`, {})).status).toBe(200);
      const running = await submit({ task: "orrery.sleep", input: { ms: 30_000 } });
      await platform.readUntil(`/v1/jobs/${running}`, ({ body }) => body.status === "RUNNING");
      const asked = await post(`/v1/jobs/${running}:cancel`, {});
      expect(asked.body.cancelRequestTime).toBeTruthy();
      expect((await ended(running)).body.status).toBe("CANCELLED");
      expect(await names(running)).toEqual(["JobQueued", "JobStarted", "JobCancelRequested", "JobCancelled"]);
      const finished = await run({ task: "orrery.echo" });
      expect((await post(`/v1/jobs/${finished.id}:cancel`, {})).body).toMatchObject({
        status: 409,
        reason: "JOB_ALREADY_FINISHED",
      });
    });

    test("ends when its attempt times out for the last time, and when it expires", async () => {
      const slow = await submit({
        task: "orrery.sleep",
        input: { ms: 60_000 },
        timeout: "1s",
        maxAttempts: 1,
      });
      const expiring = await submit({
        task: "nobody.serves",
        expireTime: new Date(Date.now() + 1_500).toISOString(),
      });
      expect((await ended(slow)).body).toMatchObject({ status: "FAILED", error: { type: "TIMEOUT" } });
      expect((await ended(expiring)).body.status).toBe("EXPIRED");
      expect(await names(expiring)).toEqual(["JobQueued", "JobExpired"]);
    });

    test("says truly why it does not run", async () => {
      for (const task of ["nobody.serves", "orrery.unheard"]) {
        const alone = await submit({ task, queue: "lonely" });
        const { blocked } = (await get(`/v1/jobs/${alone}`)).body;
        expect(blocked.reason).toBe("NO_WORKER");
        // The read model works it out by itself, in the same words.
        const same = ({ body }: Answer) => body.blocked?.message === blocked.message;
        await platform.readUntil(`/v1/observatory/jobs/${alone}`, same);
      }
      expect((await platform.send("POST", "/v1/queues/held:pause", { body: {} })).body.paused).toBe(true);
      const held = await submit({ task: "orrery.echo", queue: "held" });
      expect((await get(`/v1/jobs/${held}`)).body.blocked.reason).toBe("QUEUE_PAUSED");
      await post("/v1/queues/held:resume", {});
      expect((await ended(held)).body.status).toBe("SUCCEEDED");
    });
  });

  describe("an idempotency key", () => {
    test("gives the same job for the same request and refuses another", async () => {
      const headers = { "idempotency-key": `"k-${replicas}-1"` };
      const first = await post("/v1/jobs", { task: "orrery.echo", input: { b: 1, a: 2 } }, headers);
      const again = await post("/v1/jobs", { input: { a: 2, b: 1 }, task: "orrery.echo" }, headers);
      expect(again.status).toBe(202);
      expect(again.headers.get("idempotency-replayed")).toBe("true");
      expect(again.body).toEqual(first.body);
      const other = await post("/v1/jobs", { task: "orrery.echo", input: { a: 3 } }, headers);
      expect(other.body).toMatchObject({ status: 422, reason: "IDEMPOTENCY_KEY_REUSED" });
    });

    test("makes one job of 50 requests at once", async () => {
      const headers = { "idempotency-key": `many-${replicas}` };
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => post("/v1/jobs", { task: "orrery.echo" }, headers)),
      );
      const ids = new Set(answers.filter(({ status }) => status === 202).map(({ body }) => body.id));
      expect(ids.size).toBe(1);
      expect(new Set(answers.map(({ status }) => status))).toEqual(
        new Set(answers.some(({ status }) => status === 409) ? [202, 409] : [202]),
      );
    });

    test("of one project means nothing in another", async () => {
      const headers = { "idempotency-key": `shared-${replicas}` };
      const mine = await post("/v1/jobs", { task: "orrery.echo" }, headers);
      const theirs = await post("/v1/jobs", { task: "orrery.echo" }, headers, platform.key("second"));
      expect(theirs.status).toBe(202);
      expect(theirs.body.id).not.toBe(mine.body.id);
    });
  });

  describe("a batch", () => {
    test("answers for each job in order, and a bad one spares its neighbours", async () => {
      const { status, body } = await post("/v1/jobs:batchSubmit", {
        jobs: [{ task: "orrery.echo" }, { task: "orrery.echo", maxAttempts: 0 }, { task: "orrery.echo" }],
      });
      expect(status).toBe(200);
      expect(body.outcomes[0].job.id).toBeTruthy();
      expect(body.outcomes[1].error).toMatchObject({ reason: "INVALID_REQUEST", status: 400 });
      expect(body.outcomes[1].error.fieldViolations[0].field).toBe("jobs[1].maxAttempts");
      expect(body.outcomes[2].job.id).toBeTruthy();
    });
  });

  describe("a worker written with curl", () => {
    test("leases, heartbeats, completes, and is refused with a stale epoch", async () => {
      const queue = `curl-${replicas}`;
      const id = await submit({ task: "mine.do", queue, input: { n: 7 } });
      const asked = {
        tasks: ["mine.do"],
        queues: [queue],
        worker: "curl-1",
        max: 10,
        waitSeconds: 10,
        requestId: "r1",
      };
      const { body } = await post("/v1/work:lease", asked);
      expect(body.heartbeatSeconds).toBe(5);
      expect(body.leases).toHaveLength(1);
      const [lease] = body.leases;
      expect(lease).toMatchObject({
        jobId: id,
        leaseEpoch: 1,
        input: { n: 7 },
        attempt: 1,
        idempotencyKey: id,
      });
      expect((await post("/v1/work:lease", asked)).body.leases).toHaveLength(1);
      const ref = { jobId: id, leaseEpoch: 1 };
      const beat = await post("/v1/work:heartbeat", { worker: "curl-1", leases: [ref] });
      expect(beat.body.outcomes[0]).toMatchObject({ ...ref, ok: true });
      const stale = await post("/v1/work:complete", { results: [{ jobId: id, leaseEpoch: 2, output: 1 }] });
      expect(stale.body.outcomes[0]).toMatchObject({ ok: false, reason: "LEASE_LOST" });
      const results = [{ ...ref, output: { n: 49 } }];
      expect((await post("/v1/work:complete", { results })).body.outcomes[0]).toMatchObject({ ok: true });
      expect((await post("/v1/work:complete", { results })).body.outcomes[0]).toMatchObject({
        ok: true,
        replayed: true,
      });
      expect((await ended(id)).body).toMatchObject({ status: "SUCCEEDED", output: { n: 49 } });
      expect((await get("/v1/workers")).body.workers.map((one: { worker: string }) => one.worker)).toContain(
        "curl-1",
      );
    });

    test("gives a job back without using up an attempt", async () => {
      const queue = `back-${replicas}`;
      const id = await submit({ task: "mine.back", queue, maxAttempts: 1 });
      const asked = { tasks: ["mine.back"], queues: [queue], worker: "curl-2", waitSeconds: 10 };
      await post("/v1/work:lease", asked);
      expect(
        (await post("/v1/work:release", { leases: [{ jobId: id, leaseEpoch: 1 }] })).body.outcomes[0].ok,
      ).toBe(true);
      const second = (await post("/v1/work:lease", asked)).body.leases[0];
      expect(second).toMatchObject({ jobId: id, leaseEpoch: 2 });
      const failed = await post("/v1/work:fail", {
        results: [{ jobId: id, leaseEpoch: 2, error: { type: "BROKEN", message: "x".repeat(10_000) } }],
      });
      expect(failed.body.outcomes[0].ok).toBe(true);
      const job = (await get(`/v1/jobs/${id}`)).body;
      expect(job).toMatchObject({ status: "FAILED", attempt: 2, error: { type: "BROKEN", retryable: true } });
      expect(job.error.message.length).toBeLessThan(8_400);
      expect(await names(id)).toEqual([
        "JobQueued",
        "JobStarted",
        "JobAttemptReleased",
        "JobStarted",
        "JobFailed",
      ]);
    });

    test("of another project neither sees the job nor the lease", async () => {
      const id = await submit({ task: "mine.secret", queue: "secret" });
      const key = platform.key("second");
      const asked = { tasks: ["mine.secret"], worker: "thief" };
      expect((await post("/v1/work:lease", asked, {}, key)).body.leases).toEqual([]);
      const stolen = await post("/v1/work:complete", { results: [{ jobId: id, leaseEpoch: 1 }] }, {}, key);
      expect(stolen.body.outcomes[0]).toMatchObject({ ok: false, reason: "NOT_FOUND" });
      for (const path of ["", "/attempts", "/history"]) {
        expect((await get(`/v1/jobs/${id}${path}`, key)).status).toBe(404);
      }
      const reserved = await post("/v1/work:lease", { tasks: ["orrery.echo"], worker: "thief" });
      expect(reserved.body).toMatchObject({ status: 403, reason: "TASK_RESERVED" });
    });
  });

  describe("queues", () => {
    test("show their depth, take limits by mask and keep them", async () => {
      const queue = `limits-${replicas}`;
      await submit({ task: "nobody.serves", queue });
      const changed = await platform.send("PATCH", `/v1/queues/${queue}?updateMask=concurrency`, {
        body: { concurrency: 3 },
      });
      expect(changed.body).toMatchObject({ name: queue, concurrency: 3, paused: false });
      const { body } = await get("/v1/queues");
      expect(body.queues.find(({ name }: { name: string }) => name === queue)).toMatchObject({
        depth: { QUEUED: 1 },
      });
      expect((await get(`/v1/queues/${queue}`)).body.concurrency).toBe(3);
      expect((await get("/v1/queues/never-seen")).status).toBe(404);
    });
  });

  describe("the read model", () => {
    test("finds jobs by status, task, queue, label and id, and says how fresh it is", async () => {
      const label = `find-${replicas}`;
      const ids = await Promise.all(
        [1, 2, 3].map(() => run({ task: "orrery.echo", labels: { batch: label } })),
      );
      const q = encodeURIComponent(`label.batch:${label} status:succeeded task:orrery.*`);
      const found = await platform.readUntil(`/v1/jobs?q=${q}`, ({ body }) => body.jobs?.length === 3);
      expect(found.body).toMatchObject({ totalSize: 3, totalExact: true, complete: true, nextPageToken: "" });
      expect(found.body.asOf).toMatch(/Z$/);
      expect(found.body.jobs[0].input).toBeUndefined();
      const one = encodeURIComponent(`id:${ids[0]?.id}`);
      expect((await get(`/v1/jobs?q=${one}`)).body.jobs).toHaveLength(1);
      const first = (await get(`/v1/jobs?q=${q}&pageSize=2`)).body;
      const rest = (
        await get(`/v1/jobs?q=${q}&pageSize=2&pageToken=${encodeURIComponent(first.nextPageToken)}`)
      ).body;
      expect(new Set([...first.jobs, ...rest.jobs].map(({ id }: { id: string }) => id)).size).toBe(3);
      const moved = await get(
        `/v1/jobs?q=status:failed&pageToken=${encodeURIComponent(first.nextPageToken)}`,
      );
      expect(moved.body.reason).toBe("INVALID_PAGE_TOKEN");
    });

    test("refuses by name what it cannot search", async () => {
      for (const q of ["input.a:1", "nonsense:1", "status:", "(task:a"]) {
        expect((await get(`/v1/jobs?q=${encodeURIComponent(q)}`)).body).toMatchObject({
          status: 400,
          reason: "INVALID_QUERY",
        });
      }
    });

    test("equals the store once it has caught up, for the job, its attempts and its history", async () => {
      const { id, version } = await run({ task: "orrery.echo", input: { x: 1 } });
      const mirrored = await get(`/v1/observatory/jobs/${id}?minVersion=${version}`);
      expect(mirrored.body).toEqual((await get(`/v1/jobs/${id}`)).body);
      expect((await get(`/v1/observatory/jobs/${id}/attempts`)).body.attempts).toEqual(
        (await get(`/v1/jobs/${id}/attempts`)).body.attempts,
      );
      expect((await get(`/v1/observatory/jobs/${id}/history`)).body.events).toEqual(
        (await get(`/v1/jobs/${id}/history`)).body.events,
      );
      expect((await get(`/v1/observatory/jobs/${id}?minVersion=99`)).body.reason).toBe("PROJECTION_BEHIND");
    });

    test("shows the overview, the queues, the workers, the figures and no alerts", async () => {
      const overview = (await get("/v1/overview")).body;
      expect(overview).toMatchObject({ project: "demo", readModel: "embedded", alerts: [] });
      expect(overview.health).not.toBe("");
      expect((await get("/v1/observatory/queues")).body.queues.length).toBeGreaterThan(0);
      expect((await get("/v1/observatory/workers")).body.workers.length).toBeGreaterThan(0);
      expect((await get("/v1/metrics")).body.figures.length).toBeGreaterThan(0);
      expect((await get("/v1/alerts")).body.alerts).toEqual([]);
    });
  });

  describe("a live stream", () => {
    test("of a job begins with a snapshot, leaves nothing out, ends with the end, and is done after it", async () => {
      const id = await submit({ task: "orrery.sleep", input: { ms: 300 } });
      const url = `${platform.run.edges.at(-1)}/v1/jobs/${id}:watch`;
      const { frames } = await readEvents(url, { key: platform.key() });
      expect(frames[0]?.event).toBe("snapshot");
      expect(frames.at(-1)).toMatchObject({ event: "JobSucceeded", id: "3" });
      const versions = frames.map((frame) => Number(frame.id));
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      const resumed = await readEvents(url, { key: platform.key(), lastEventId: "1" });
      expect(resumed.frames.map(({ event }) => event)).toEqual(["JobStarted", "JobSucceeded"]);
      expect((await readEvents(url, { key: platform.key(), lastEventId: "3" })).status).toBe(204);
    });

    test("of all events that fit a query shows what happens after it was opened", async () => {
      const label = `live-${replicas}`;
      const url = `${platform.run.edge}/v1/events:watch?q=${encodeURIComponent(`label.w:${label}`)}`;
      const opened = Promise.withResolvers<void>();
      const watching = readEvents(url, {
        key: platform.key(),
        onOpen: opened.resolve,
        enough: (seen) => seen.some(({ event }) => event === "JobSucceeded"),
      });
      await Promise.race([opened.promise, watching]);
      const { id } = await run({ task: "orrery.echo", labels: { w: label } });
      const { frames } = await watching;
      expect(frames.map(({ event }) => event)).toEqual(["JobQueued", "JobStarted", "JobSucceeded"]);
      expect(frames.every(({ data }) => data.aggregateId === id)).toBe(true);
      // The stream is the broker's: the read model may have them a moment later.
      const all = ({ body }: Answer) => body.events.length >= frames.length;
      const list = `/v1/events?q=${encodeURIComponent(`label.w:${label}`)}`;
      const listed = (await platform.readUntil(list, all)).body.events;
      expect(listed.map(({ eventId }: { eventId: string }) => eventId)).toEqual(
        frames.map((frame) => frame.id),
      );
    });
  });

  describe("a refusal", () => {
    test.each<[string, string, unknown, number, string]>([
      ["POST", "/v1/jobs", { task: "a", colour: "blue" }, 400, "colour"],
      ["POST", "/v1/jobs", { task: 5 }, 400, "task"],
      ["POST", "/v1/jobs", {}, 400, "task"],
      ["POST", "/v1/jobs", { task: "a", priority: 10 }, 400, "priority"],
      ["POST", "/v1/jobs", { task: "a", maxAttempts: 1.5 }, 400, "maxAttempts"],
      ["POST", "/v1/jobs", '{"task":"a","input":{"n":9007199254740993}}', 400, "input.n"],
      ["POST", "/v1/jobs", '{"task":"a","task":"b"}', 400, "task"],
      ["POST", "/v1/jobs", { task: "a", labels: { Team: "x" } }, 400, "labels"],
      ["GET", "/v1/jobs?pageSize=-1", undefined, 400, "pageSize"],
      ["GET", "/v1/jobs?colour=blue", undefined, 400, "colour"],
      ["GET", "/v1/jobs/not-a-uuid", undefined, 400, "id"],
    ])("%s %s with %j is %i and names the field", async (method, path, body, status, field) => {
      const answer = await platform.send(method, path, body === undefined ? {} : { body });
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toContain("application/problem+json");
      expect(answer.body.fieldViolations[0]?.field ?? answer.body.detail).toContain(field);
      expect(platform.run.edges.map((edge) => `${edge}/problems/${answer.body.reason}`)).toContain(
        answer.body.type,
      );
    });

    test.each<[string, string, number, string]>([
      ["GET", "/v1/nowhere", 404, "ROUTE_NOT_FOUND"],
      ["DELETE", "/v1/jobs", 405, "METHOD_NOT_ALLOWED"],
      ["GET", "/v1/jobs/01890000-0000-7000-8000-000000000000", 404, "NOT_FOUND"],
    ])("%s %s is %i %s", async (method, path, status, reason) => {
      expect((await platform.send(method, path)).body).toMatchObject({ status, reason });
    });

    test("comes with 401 without a key, and 403 without the scope or outside the project", async () => {
      expect((await get("/v1/jobs", null)).body).toMatchObject({ status: 401, reason: "UNAUTHENTICATED" });
      expect((await get("/v1/jobs", "orr_wrong")).headers.get("www-authenticate")).toContain("Bearer");
      const readOnly = platform.key("demo", "readKeyFile");
      expect((await post("/v1/jobs", { task: "a" }, {}, readOnly)).body).toMatchObject({
        status: 403,
        reason: "SCOPE_MISSING",
      });
      const other = await platform.send("GET", "/v1/jobs", { headers: { "orrery-project": "second" } });
      expect(other.body).toMatchObject({ status: 403, reason: "PROJECT_FORBIDDEN" });
    });

    test("comes with 413 over the limit, 415 for another media type, 400 for broken JSON", async () => {
      const large = await post("/v1/jobs", { task: "a", input: "x".repeat(300 * 1024) });
      expect(large.body).toMatchObject({ status: 413, reason: "BODY_TOO_LARGE" });
      const text = await platform.send("POST", "/v1/jobs", {
        body: "a=b",
        headers: { "content-type": "text/plain" },
      });
      expect(text.body).toMatchObject({ status: 415, reason: "UNSUPPORTED_MEDIA_TYPE" });
      expect((await platform.send("POST", "/v1/jobs", { body: '{"task":' })).body.status).toBe(400);
    });
  });

  test("a platform on which nothing went wrong has the stream of each context, and that of dead letters", async () => {
    const { nats, caFile, identities } = platform.run;
    const connection = await connect({ servers: nats.url, tls: { ...identities.operator, caFile } });
    try {
      const manager = await connection.jetstreamManager();
      const streams = ["ORRERY_ALERTS", "ORRERY_DEAD_LETTERS", "ORRERY_JOBS", "ORRERY_ORCHESTRATOR"];
      await eventually(async () => expect((await manager.streams.names().next()).sort()).toEqual(streams));
    } finally {
      await connection.close();
    }
  });

  describe("every process", () => {
    test("answers health to anyone, and metrics and documents to its list only", async () => {
      const { services, edge } = platform.run;
      for (const [name, processes] of Object.entries(services)) {
        expect(processes).toHaveLength(Number(replicas));
        for (const { admin } of processes) {
          for (const page of ["/healthz", "/readyz", "/health/live", "/health/ready"]) {
            expect([name, page, (await platform.admin(admin + page, "nobody")).status]).toEqual([
              name,
              page,
              200,
            ]);
          }
          expect((await platform.admin(`${admin}/metrics`, "nobody")).status).toBe(403);
          expect((await platform.admin(`${admin}/metrics`)).text).toContain(`service="${name}"`);
          for (const page of ["/openapi.json", "/docs"]) {
            expect([name, page, (await platform.admin(admin + page)).status]).toEqual([name, page, 200]);
            expect((await platform.admin(admin + page, "nobody")).status).toBe(403);
          }
          expect(JSON.parse((await platform.admin(`${admin}/readyz`)).text)).toMatchObject({ ready: true });
        }
      }
      for (const page of [
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/asyncapi.json",
        "/docs",
        "/problems/LEASE_LOST",
      ]) {
        expect([page, (await fetch(edge + page)).status]).toEqual([page, 200]);
      }
    });
  });
});
