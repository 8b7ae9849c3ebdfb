import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { JobSchema } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type { ListJobsRequest } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import { eventually } from "@orrery/mesh/testing/eventually";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, PUBLIC_URL, sharedTestBed } from "./gateway-factory.ts";

const jobs = new FakeJobs();
const listed: ListJobsRequest[] = [];

const bed = sharedTestBed({
  jobs: jobs.implementation,
  observatory: {
    listJobs: async (request) => {
      listed.push(request);
      return { jobs: [], complete: true };
    },
    getJob: async ({ id }) => ({
      ...{ job: create(JobSchema, { id, task: "t" }), lagMs: 12, asOf: timestampFromMs(1_750_000_000_000) },
    }),
    getMission: async ({ id }) => ({
      ...{ mission: { id }, lagMs: 12, asOf: timestampFromMs(1_750_000_000_000) },
    }),
  },
});
beforeEach(() => {
  jobs.batches.length = 0;
  jobs.calls.length = 0;
  jobs.idempotencyKeys.length = 0;
});

type Headers = Record<string, string>;
const get = (path: string, headers: Headers = {}) =>
  fetch(bed().url + path, { headers: { ...auth(), ...headers } });
const post = (path: string, body: unknown, headers: Headers = {}) =>
  fetch(bed().url + path, {
    method: "POST",
    headers: { ...auth(), "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
/** Each request has a trace of its own. */
const untraced = (text: string) => text.replace(/"traceId":"\w+"/, "");
const submitted = async (task: string) => {
  const response = await post("/v1/jobs", { task });
  return ((await response.json()) as { id: string }).id;
};

describe("a submission", () => {
  test("is answered with 202, the place of the job, and a token for reads", async () => {
    const response = await post("/v1/jobs", { task: "t", input: { a: 1 } });
    const job = (await response.json()) as { id: string; status: string; version: number };
    expect(response.status).toBe(202);
    expect(job).toMatchObject({ status: "QUEUED", version: 1, labels: {} });
    expect(response.headers.get("location")).toBe(`/v1/jobs/${job.id}`);
    const token = response.headers.get("orrery-consistency-token") ?? "";
    expect(Buffer.from(token, "base64url").toString()).toBe(`${job.id}:1`);
    expect(response.headers.get("idempotency-replayed")).toBeNull();
  });

  test("goes on for the caller of its key, whatever identity its headers claim", async () => {
    await post(
      "/v1/jobs",
      { task: "t" },
      {
        "orrery-principal": "root",
        "orrery-scopes": "admin",
        "x-user-id": "root",
        "l5d-client-id": "jobs",
        "x-correlation-id": "order-17",
        "x-forwarded-client-cert": "By=jobs",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      },
    );
    const caller = jobs.batches[0]?.[0]?.caller;
    expect(caller).toMatchObject({ project: "demo", principal: "all", correlationId: "order-17" });
    expect(caller?.scopes).toEqual(["read", "submit", "work", "admin"]);
    expect(caller?.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
  });

  test("joins others that arrive while one is under way, each for its own caller", async () => {
    jobs.delayMs = 30;
    const keys = ["all", "other", "second"] as const;
    const responses = await Promise.all(
      Array.from({ length: 150 }, (_, index) =>
        post("/v1/jobs", { task: `t${index}` }, auth(keys[index % 3])),
      ),
    );
    jobs.delayMs = 0;
    const answered = (await Promise.all(responses.map((response) => response.json()))) as Record<
      string,
      string
    >[];
    expect(answered.map(({ task }) => task)).toEqual(Array.from({ length: 150 }, (_, index) => `t${index}`));
    expect(answered.map(({ project }) => project).slice(0, 3)).toEqual(["demo", "demo", "second"]);
    expect(jobs.batchSizes.length).toBeLessThan(50);
    expect(jobs.batchSizes.reduce((sum, size) => sum + size)).toBe(150);
  });

  test("that is refused leaves its neighbours alone and names the field as its caller knows it", async () => {
    const [good, bad] = await Promise.all([
      post("/v1/jobs", { task: "t" }),
      post("/v1/jobs", { task: "refused" }),
    ]);
    expect(good.status).toBe(202);
    expect(bad.status).toBe(400);
    expect(await bad.json()).toMatchObject({
      reason: "INVALID_REQUEST",
      detail: "not that",
      instance: "/v1/jobs",
      fieldViolations: [{ field: "maxAttempts", description: "has to be 1 to 100" }],
    });
  });

  test("whose key is in flight is answered 409 with the time to wait", async () => {
    const response = await post("/v1/jobs", { task: "busy" }, { "idempotency-key": "k" });
    expect(response.status).toBe(409);
    expect(response.headers.get("retry-after")).toBe("1");
  });
});

describe("Prefer: wait", () => {
  test("answers 200 with the job at its end", async () => {
    const response = await post("/v1/jobs", { task: "ends" }, { prefer: "wait=30" });
    expect(response.status).toBe(200);
    expect(response.headers.get("preference-applied")).toBe("wait=30");
    expect(await response.json()).toMatchObject({ status: "SUCCEEDED", version: 2 });
  });

  test("answers 202 with the job as it is when the time is up, and stops watching", async () => {
    const before = jobs.cancelledWatches;
    const response = await post("/v1/jobs", { task: "waits" }, { prefer: "wait=1" });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: "QUEUED" });
    await eventually(() => expect(jobs.cancelledWatches).toBe(before + 1));
  });

  test("beyond a minute is a minute, and says so", async () => {
    const response = await post("/v1/jobs", { task: "ends" }, { prefer: "wait=600" });
    expect(response.headers.get("preference-applied")).toBe("wait=60");
  });
});

describe("Idempotency-Key", () => {
  test("reaches the service, quoted or bare, and a replay says so", async () => {
    const response = await post("/v1/jobs", { task: "t" }, { "idempotency-key": '"again"' });
    expect(jobs.batches[0]?.[0]?.job?.idempotencyKey).toBe("again");
    expect(response.headers.get("idempotency-replayed")).toBe("true");
    expect(response.status).toBe(202);
  });

  test("reaches every write that takes one", async () => {
    const id = await submitted("t");
    const cancelled = await post(`/v1/jobs/${id}:cancel`, {}, { "idempotency-key": "again" });
    expect(jobs.idempotencyKeys).toEqual(["again"]);
    expect(cancelled.headers.get("idempotency-replayed")).toBe("true");
    expect(Buffer.from(cancelled.headers.get("orrery-consistency-token") ?? "", "base64url").toString()).toBe(
      `${id}:2`,
    );
  });

  test("of a batch that is replayed is told by the header alone: the body is that of the first answer", async () => {
    const batch = { jobs: [{ task: "refused" }] };
    const first = await post("/v1/jobs:batchSubmit", batch, { "idempotency-key": "once" });
    const again = await post("/v1/jobs:batchSubmit", batch, { "idempotency-key": "again" });
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(untraced(await again.text())).toBe(untraced(await first.text()));
  });

  test("is ignored by reads, malformed or not", async () => {
    const id = await submitted("t");
    expect((await get(`/v1/jobs/${id}`, { "idempotency-key": "a b" })).status).toBe(200);
  });

  test("that differs from the body's is refused", async () => {
    const response = await post("/v1/jobs", { task: "t", idempotencyKey: "a" }, { "idempotency-key": "b" });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ fieldViolations: [{ field: "Idempotency-Key" }] });
    expect(jobs.batches).toEqual([]);
  });
});

describe("a batch", () => {
  test("answers a submission with the input that came in, which no service sends back", async () => {
    const one = await post("/v1/jobs", { task: "t", input: { a: [1, null, "ä"] } });
    expect(await one.json()).toMatchObject({ input: { a: [1, null, "ä"] } });
    const nothing = await post("/v1/jobs", { task: "t" });
    expect(await nothing.json()).not.toHaveProperty("input");
    const jobs = [
      { task: "t", input: null },
      { task: "refused", input: 1 },
      { task: "t" },
      { task: "t", input: "x" },
    ];
    const many = (await (await post("/v1/jobs:batchSubmit", { jobs })).json()) as {
      outcomes: { job?: { input?: unknown } }[];
    };
    expect(many.outcomes.map(({ job }) => job?.input)).toEqual([null, undefined, undefined, "x"]);
  });

  test("gives each outcome its problem document, complete with this request's trace", async () => {
    const response = await post("/v1/jobs:batchSubmit", { jobs: [{ task: "t" }, { task: "refused" }] });
    expect(response.status).toBe(200);
    expect(response.headers.get("orrery-consistency-token")).toBeNull();
    const { outcomes } = (await response.json()) as { outcomes: Record<string, Record<string, unknown>>[] };
    expect(outcomes[0]?.job).toMatchObject({ task: "t" });
    expect(outcomes[1]?.error).toMatchObject({
      ...{ type: `${PUBLIC_URL}/problems/INVALID_REQUEST`, instance: "/v1/jobs:batchSubmit" },
      fieldViolations: [{ field: "jobs[1].maxAttempts" }],
      traceId: response.headers.get("traceparent")?.split("-")[1],
    });
  });
});

describe("a read of the read model", () => {
  test("passes the consistency token on", async () => {
    await get("/v1/jobs?pageSize=5", { "orrery-consistency-token": "abc" });
    expect(listed.at(-1)).toMatchObject({ consistencyToken: "abc", pageSize: 5 });
  });

  test.each(["jobs", "missions"])("says in headers how fresh one of the %s is", async (kind) => {
    const response = await get(`/v1/observatory/${kind}/0190b0a0-0000-7000-8000-000000000000`);
    expect(response.headers.get("orrery-lag-ms")).toBe("12");
    expect(response.headers.get("orrery-as-of")).toBe("2025-06-15T15:06:40.000Z");
  });
});

describe("who may", () => {
  test("is asked before the body is read", async () => {
    const response = await fetch(`${bed().url}/v1/jobs`, { method: "POST", body: "{ not json" });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect(await response.json()).toMatchObject({ reason: "UNAUTHENTICATED", code: "UNAUTHENTICATED" });
  });

  test("is decided by scope", async () => {
    const response = await post("/v1/jobs", { task: "t" }, auth("read"));
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ reason: "SCOPE_MISSING" });
    expect(bed().lines).toContainEqual(
      expect.objectContaining({ security_event: "edge.scope_refused", principal: "read", scope: "submit" }),
    );
    expect(jobs.batches).toEqual([]);
  });

  test("is decided by project, and another project's job is not there", async () => {
    const id = await submitted("t");
    expect((await get(`/v1/jobs/${id}`, { "orrery-project": "second" })).status).toBe(403);
    const foreign = await get(`/v1/jobs/${id}`, auth("second"));
    const unknown = await get("/v1/jobs/0190b0a0-0000-7000-8000-000000000000", auth("second"));
    expect([foreign.status, unknown.status]).toEqual([404, 404]);
    const [one, other] = (await Promise.all([foreign.json(), unknown.json()])) as Record<string, unknown>[];
    expect({ ...one, instance: "", traceId: "" }).toEqual({ ...other, instance: "", traceId: "" });
  });
});

describe("every answer", () => {
  test("carries the ids of its request, and the caller's where it sent them", async () => {
    const response = await get("/v1/jobs", { "x-correlation-id": "c-1" });
    expect(response.headers.get("x-correlation-id")).toBe("c-1");
    expect(response.headers.get("traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test("under /v1 says where the key stands", async () => {
    const responses = await Promise.all([get("/v1/jobs"), get("/v1/nowhere"), post("/v1/jobs", "{")]);
    for (const { headers } of responses) {
      expect(headers.get("ratelimit-policy")).toBe('"key";q=50000;w=1');
      expect(headers.get("ratelimit")).toMatch(/^"key";r=\d+;t=\d+$/);
    }
  });

  test.each([
    ["application/json, */*, application/problem+json;q=0", "application/json"],
    ["application/json, */*", "application/problem+json"],
  ])("of a refusal has one form for Accept: %s, whoever refuses", async (accept, contentType) => {
    const byGateway = await fetch(`${bed().url}/v1/jobs`, { headers: { accept } });
    const byTranscoder = await get("/v1/jobs?pageSize=many", { accept });
    expect([byGateway.status, byTranscoder.status]).toEqual([401, 400]);
    const members: string[][] = [];
    for (const response of [byGateway, byTranscoder]) {
      expect(response.headers.get("content-type")).toBe(contentType);
      members.push(Object.keys((await response.json()) as object).toSorted());
    }
    expect(members[0]).toEqual(members[1]);
    expect(members[0]?.includes("instance")).toBe(contentType === "application/problem+json");
  });

  test("is logged and measured once, by route and without ids in the labels", async () => {
    const id = await submitted("t");
    await get(`/v1/jobs/${id}`, { "x-correlation-id": "log-me" });
    const line = await eventually(() => {
      const found = bed().lines.find(
        (each) => each.correlation_id === "log-me" && each.message === "request",
      );
      if (found === undefined) throw new Error("not logged yet");
      return found;
    });
    expect(line).toMatchObject({
      route: "/v1/jobs/{id}",
      method: "GET",
      status: 200,
      principal: "all",
      project: "demo",
    });
    const text = await bed().metrics.registry.metrics();
    expect(text).toMatch(
      /orrery_http_duration_seconds_count\{[^}]*route="\/v1\/jobs\/\{id\}"[^}]*status="200"[^}]*\} [1-9]/,
    );
    expect(text).not.toContain(id);
  });

  test("of a kilobyte or more is compressed for who takes that", async () => {
    const raw = await fetch(`${bed().url}/openapi.json`, { headers: { "accept-encoding": "br" } });
    expect(raw.headers.get("content-encoding")).toBe("br");
    expect(await raw.json()).toMatchObject({ openapi: "3.1.0" });
    const plain = await fetch(`${bed().url}/openapi.json`, { headers: { "accept-encoding": "identity" } });
    expect(plain.headers.get("content-encoding")).toBeNull();
  });
});

describe("pages", () => {
  test.each(["/healthz", "/readyz", "/health/live", "/health/ready"])(
    "%s answers anyone without details",
    async (path) => {
      const response = await fetch(bed().url + path);
      expect(response.status).toBe(200);
      expect(Object.keys((await response.json()) as object)).toEqual(["status"]);
    },
  );

  test("readiness is 503 with the time to wait while the gateway is not ready", async () => {
    bed().setReady(false);
    const response = await fetch(`${bed().url}/readyz`);
    bed().setReady(true);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect((await fetch(`${bed().url}/healthz`)).status).toBe(200);
  });

  test("the type of a problem leads to a page about it, for programs and for people", async () => {
    const problem = (await (await get("/v1/nowhere")).json()) as { type: string };
    const page = problem.type.replace(PUBLIC_URL, bed().url);
    expect(await (await fetch(page)).json()).toMatchObject({ reason: "ROUTE_NOT_FOUND", status: 404 });
    const html = await fetch(page, { headers: { accept: "text/html" } });
    expect(html.headers.get("content-type")).toMatch(/^text\/html/);
    expect(await html.text()).toContain("There is no such route");
  });

  test.each(["/docs", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"])(
    "%s is served from here",
    async (path) => {
      const response = await fetch(bed().url + path);
      expect(response.status).toBe(200);
      expect(await response.text()).not.toMatch(/<script src="https?:/);
    },
  );

  test.each([
    "/docs/../package.json",
    "/docs/%2e%2e/package.json",
    "/docs/package.json",
    "/problems/NO_SUCH",
  ])("%s is not there", async (path) => expect((await fetch(bed().url + path)).status).toBe(404));

  test("take no other method, and say which they take", async () => {
    const response = await fetch(`${bed().url}/openapi.json`, { method: "POST" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });
});
