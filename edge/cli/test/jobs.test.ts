import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { jobOf, orrery } from "./command-line.ts";
import { eventFrame, fakeEdge, frames, inTurn, json, problem } from "./fake-edge.ts";

const id = jobOf().id;

describe("job submit", () => {
  test("sends the job as the flags say and prints id and address", async () => {
    await using edge = await fakeEdge({ "POST /v1/jobs": json(jobOf(), 202) });
    const flags = ["--queue", "q", "--priority", "3", "--delay", "5m", "--label", "a=b", "--tag", "c=d"];
    const more = ["--max-attempts", "2", "--idempotency-key", "k-1", "-i", '{"n": 9007199254740993}'];
    const ran = await orrery(["job", "submit", "orrery.echo", ...flags, ...more], edge);
    expect(ran).toEqual({ code: 0, stdout: `${id}\t${edge.url}/v1/jobs/${id}\n`, stderr: "" });
    expect(edge.came[0]).toMatchObject({
      headers: {
        authorization: "Bearer orr_test",
        "idempotency-key": "k-1",
        "content-type": "application/json",
      },
      body:
        '{"task":"orrery.echo","queue":"q","priority":3,"maxAttempts":2,"delay":"300s",' +
        '"labels":{"a":"b","c":"d"},"input":{"n": 9007199254740993}}',
    });
  });

  test("prints the address of the job's page for a person", async () => {
    await using edge = await fakeEdge({ "POST /v1/jobs": json(jobOf(), 202) });
    const { stdout } = await orrery(["job", "submit", "t"], { url: edge.url, screen: true });
    expect(stdout).toBe(`${id}  ${edge.url}/jobs/${id}\n`);
  });

  test("prints the API's own JSON, to the byte, with -o json", async () => {
    const text = '{"id": "x",\n "n": 1.0}';
    await using edge = await fakeEdge({
      "POST /v1/jobs": (_, response) => response.writeHead(202).end(text),
    });
    expect((await orrery(["jobs", "submit", "t", "-o", "json"], edge)).stdout).toBe(`${text}\n`);
  });

  test("refuses two times to begin at with 2, in the words of its flags, and sends nothing", async () => {
    await using edge = await fakeEdge({});
    const times = ["--delay", "5m", "--run-time", "2026-01-01T00:00:00Z"];
    const ran = await orrery(["job", "submit", "t", ...times], edge);
    expect(ran).toMatchObject({ code: 2, stderr: "error: --delay and --run-time exclude each other\n" });
    expect(edge.came).toEqual([]);
  });

  test("sends nothing with --dry-run", async () => {
    await using edge = await fakeEdge({});
    const ran = await orrery(["job", "submit", "t", "--set", "a=1", "--dry-run"], edge);
    expect(ran).toEqual({ code: 0, stdout: '{"task":"t","input":{"a":1}}\n', stderr: "" });
    expect(edge.came).toEqual([]);
  });

  test("says what, which field, what to do, and the code, of a refusal", async () => {
    const fieldViolations = [{ field: "maxAttempts", description: "has to be 1 to 100" }];
    const detail = "one field is wrong";
    await using edge = await fakeEdge({
      "POST /v1/jobs": problem(400, "INVALID_REQUEST", "The request is not valid", {
        detail,
        fieldViolations,
      }),
    });
    const ran = await orrery(["job", "submit", "t"], edge);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr.split("\n")).toEqual([
      "error: The request is not valid: one field is wrong",
      "  maxAttempts: has to be 1 to 100",
      expect.stringMatching(/^fix: .*fieldViolations/),
      "code: INVALID_REQUEST  trace: 7f3a  docs: orrery explain INVALID_REQUEST",
      "",
    ]);
  });
});

describe("job run", () => {
  const started = eventFrame(2, "JobStarted", jobOf({ status: "RUNNING" }), {
    attempt: 1,
    worker: "worker-0",
  });
  const ended = (status: string, more = {}) => eventFrame(3, `Job${status}`, jobOf({ status, ...more }));
  const edgeWith = (...sent: ReturnType<typeof eventFrame>[]) =>
    fakeEdge({
      "POST /v1/jobs": json(jobOf(), 202),
      [`GET /v1/jobs/${id}:watch`]: frames([{ id: "1", event: "snapshot", data: jobOf() }, ...sent]),
      [`GET /v1/jobs/${id}`]: json(jobOf({ status: "SUCCEEDED", output: "from the store" })),
    });

  test("tells of each step on standard error, prints the output, and ends with 0", async () => {
    await using edge = await edgeWith(started, ended("SUCCEEDED", { output: { a: [1] } }));
    const ran = await orrery(["job", "run", "orrery.echo"], edge);
    expect(ran).toMatchObject({ code: 0, stdout: '{"a":[1]}\n' });
    expect(ran.stderr).toMatch(
      /queued[\s\S]*10:20:30 {2}● running {2}JobStarted · attempt 1 on worker-0[\s\S]*✔ succeeded/,
    );
  });

  test("says when the job ended that was faster than its watcher", async () => {
    const over = jobOf({ status: "SUCCEEDED", endTime: "2026-11-21T10:20:31.500Z", output: 1 });
    await using edge = await fakeEdge({
      "POST /v1/jobs": json(jobOf(), 202),
      [`GET /v1/jobs/${id}:watch`]: frames([{ id: "3", event: "snapshot", data: over }]),
    });
    const ran = await orrery(["job", "run", "orrery.echo"], edge);
    expect(ran).toMatchObject({ code: 0, stdout: "1\n" });
    expect(ran.stderr).toContain("10:20:31  ✔ succeeded");
  });

  test("reads an output that no event could carry from the store", async () => {
    await using edge = await edgeWith(ended("SUCCEEDED"));
    expect(await orrery(["job", "run", "orrery.echo"], edge)).toMatchObject({
      code: 0,
      stdout: '"from the store"\n',
    });
  });

  test.each(["FAILED", "CANCELLED", "EXPIRED"])("ends with 5 when the job ended %s", async (status) => {
    await using edge = await edgeWith(ended(status, { error: { type: "X", message: "why it is so" } }));
    const ran = await orrery(["job", "run", "orrery.fail"], {
      url: edge.url,
      env: { GITHUB_ACTIONS: "true" },
    });
    expect(ran.code).toBe(5);
    expect(ran.stderr).toContain(`::error::job ${id} ended ${status} why it is so`);
  });

  test("goes on after a lost connection, and leaves no step out", async () => {
    await using edge = await fakeEdge({
      "POST /v1/jobs": json(jobOf(), 202),
      [`GET /v1/jobs/${id}:watch`]: inTurn(frames([started]), frames([ended("SUCCEEDED", { output: 1 })])),
    });
    expect(await orrery(["job", "run", "orrery.echo"], edge)).toMatchObject({ code: 0, stdout: "1\n" });
    expect(edge.came.at(-1)?.headers["last-event-id"]).toBe("2");
  });

  test("ends with 8 when it has waited long enough", async () => {
    await using edge = await fakeEdge({
      "POST /v1/jobs": json(jobOf(), 202),
      [`GET /v1/jobs/${id}:watch`]: frames([started], { open: true }),
    });
    const ran = await orrery(["job", "run", "orrery.sleep", "--wait", "100ms"], edge);
    expect(ran).toMatchObject({
      code: 8,
      stdout: "",
      stderr: expect.stringContaining(`orrery job watch ${id}`),
    });
  });

  test("detaches at the first Ctrl-C, cancels at the second, and ends with 130", async () => {
    await using edge = await fakeEdge({
      "POST /v1/jobs": json(jobOf(), 202),
      [`GET /v1/jobs/${id}:watch`]: frames([started], { open: true }),
      [`POST /v1/jobs/${id}:cancel`]: json(jobOf({ status: "RUNNING" })),
    });
    const interruptAt = ["running", "detached"];
    const ran = await orrery(["job", "run", "orrery.sleep"], { url: edge.url, interruptAt });
    expect(ran).toMatchObject({ code: 130, stdout: "" });
    expect(ran.stderr).toMatch(/orrery job watch[\s\S]*cancellation asked for/);
    expect(edge.came.at(-1)?.path).toBe(`/v1/jobs/${id}:cancel`);
  });
});

describe("job get", () => {
  test("reads from the read model and shows the fields", async () => {
    await using edge = await fakeEdge({
      [`GET /v1/observatory/jobs/${id}`]: json(jobOf({ input: { a: 1 } })),
    });
    const { stdout } = await orrery(["job", "get", id], edge);
    expect(stdout).toContain(`id\t${id}\n`);
    expect(stdout).toContain('input\t{"a":1}\n');
  });

  test("reads on a screen as sentences, pairs and indented JSON, and leaves out what is empty", async () => {
    const job = {
      status: "QUEUED",
      labels: {},
      retryPolicy: { initialDelay: "1s", factor: 2 },
      input: { a: "\u009b31m" },
      error: { type: "E", message: "it broke", retryable: true },
      blocked: { reason: "NO_WORKER", message: "Nobody serves it.", position: 1 },
    };
    await using edge = await fakeEdge({ [`GET /v1/observatory/jobs/${id}`]: json(job) });
    const { stdout } = await orrery(["job", "get", id, "--no-color"], { url: edge.url, screen: true });
    expect(stdout.split("\n")).toEqual([
      "status       ○ queued",
      "retryPolicy  initialDelay=1s factor=2",
      "input        {",
      '               "a": "·31m"',
      "             }",
      "error        E: it broke",
      "blocked      NO_WORKER: Nobody serves it.",
      "",
    ]);
  });

  test("waits for the read model when the job was made a moment ago", async () => {
    const fresh = `${Date.now()
      .toString(16)
      .padStart(12, "0")
      .replace(/^(.{8})/, "$1-")}-7000-8000-000000000001`;
    await using edge = await fakeEdge({
      [`GET /v1/observatory/jobs/${fresh}`]: inTurn(
        problem(404, "NOT_FOUND", "no"),
        json(jobOf({ id: fresh })),
      ),
    });
    expect(await orrery(["job", "get", fresh, "-o", "name"], edge)).toMatchObject({
      code: 0,
      stdout: `${fresh}\n`,
    });
    expect(edge.came.map(({ query }) => query.get("minVersion"))).toEqual([null, "1", null]);
  });

  test("ends with 3 at once when an older job is not there", async () => {
    await using edge = await fakeEdge({});
    expect(await orrery(["job", "get", id], edge)).toMatchObject({ code: 3 });
    expect(edge.came).toHaveLength(1);
  });

  test("reads from the store with --current", async () => {
    await using edge = await fakeEdge({ [`GET /v1/jobs/${id}`]: json(jobOf()) });
    expect((await orrery(["job", "get", id, "--current"], edge)).code).toBe(0);
  });

  test("opens its page in a person's browser, and prints where it is", async () => {
    const url = "http://127.0.0.1:9";
    const page = `${url}/jobs/${id}`;
    const folder = mkdtempSync(join(tmpdir(), "orrery-browser-"));
    const seen = join(folder, "seen");
    for (const name of ["xdg-open", "open"]) {
      writeFileSync(join(folder, name), `#!/bin/sh\necho "$1" >> ${seen}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    try {
      const open = (screen: boolean, PATH: string) =>
        orrery(["job", "open", id], { url, screen, env: { PATH } });
      const printed = { code: 0, stdout: `${page}\n`, stderr: "" };
      expect(await open(false, folder)).toEqual(printed);
      expect(await open(true, "/nowhere")).toEqual(printed);
      expect(await open(true, folder)).toEqual(printed);
      await eventually(() => expect(readFileSync(seen, "utf8")).toBe(`${page}\n`));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("lists attempts and events", async () => {
    const attempts = [{ attempt: 1, status: "FAILED", worker: "w", error: { type: "T", message: "m" } }];
    const event = eventFrame(1, "JobQueued", jobOf()).data;
    const path = `/v1/observatory/jobs/${id}`;
    await using edge = await fakeEdge({
      [`GET ${path}/attempts`]: json({ attempts }),
      [`GET ${path}/history`]: inTurn(
        json({ events: [{ ...event, aggregateVersion: 1 }], nextPageToken: "t" }),
        json({ events: [{ ...event, aggregateVersion: 2 }], nextPageToken: "" }),
      ),
    });
    expect((await orrery(["job", "attempts", id], edge)).stdout).toContain("1\tFAILED\tw\t\t\tT: m\n");
    expect((await orrery(["job", "events", id], edge)).stdout).toMatch(
      /^version\t.*\n1\tJobQueued\t.*\n2\tJobQueued\t/,
    );
  });
});

describe("job events", () => {
  const attempt = { attempt: 1, worker: "w-1" };
  const error = { type: "T", message: "m" };
  const blocked = { reason: "RETRY_BACKOFF", message: "It waits." };
  const events = [
    eventFrame(1, "JobStarted", jobOf({ status: "RUNNING" }), attempt),
    eventFrame(2, "JobRetrying", jobOf({ status: "RETRYING", error, blocked }), { ...attempt, error }),
    eventFrame(3, "JobQueued", jobOf({ status: "QUEUED", error })),
    eventFrame(4, "JobExpired", jobOf({ status: "EXPIRED", error })),
  ].map(({ id: version, data }) => ({ ...data, aggregateVersion: Number(version) }));
  const history = { [`GET /v1/observatory/jobs/${id}/history`]: json({ events, nextPageToken: "" }) };

  test("tell on a screen where each event left the job, who worked on it, and why", async () => {
    await using edge = await fakeEdge(history);
    const { stdout } = await orrery(["job", "events", id, "--no-color"], { url: edge.url, screen: true });
    expect(stdout.split("\n")).toEqual([
      "version  event        time                      status      what",
      "1        JobStarted   2026-01-01T10:20:30.000Z  ● running   attempt 1 on w-1",
      "2        JobRetrying  2026-01-01T10:20:30.000Z  ↻ retrying  attempt 1 on w-1 · T: m",
      "3        JobQueued    2026-01-01T10:20:30.000Z  ○ queued",
      "4        JobExpired   2026-01-01T10:20:30.000Z  ⌛ expired   T: m",
      "",
    ]);
  });

  test.each(["table", "csv"])("keep their columns for a program: -o %s", async (format) => {
    await using edge = await fakeEdge(history);
    const { stdout } = await orrery(["job", "events", id, "-o", format], edge);
    expect(stdout).not.toContain("attempt 1 on w-1");
    expect(stdout.split("\n")[1]).toMatch(/^1[\t,]JobStarted[\t,]2026/);
  });
});

describe("job cancel and job retry", () => {
  test("change each job that is named", async () => {
    await using edge = await fakeEdge({
      [`POST /v1/jobs/${id}:retry`]: json(jobOf()),
      [`POST /v1/jobs/${id}:cancel`]: json(jobOf({ status: "CANCELLED" })),
    });
    expect((await orrery(["job", "retry", id, id], edge)).stdout).toBe(`${id}\tQUEUED\n`.repeat(2));
    expect((await orrery(["job", "cancel", id, "--reason", "why"], edge)).stdout).toBe(`${id}\tCANCELLED\n`);
    expect(edge.came.at(-1)?.body).toBe('{"reason":"why"}');
  });

  test("end with 10 on a conflict", async () => {
    await using edge = await fakeEdge({
      [`POST /v1/jobs/${id}:cancel`]: problem(409, "JOB_ALREADY_FINISHED", "The job has already ended"),
    });
    expect(await orrery(["job", "cancel", id], edge)).toMatchObject({ code: 10 });
  });
});
