import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { SubmitJobRequestSchema } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import type { Fault } from "@orrery/mesh/fault/fault";
import { requireValid } from "@orrery/mesh/transport/validation";
import { reasonPages } from "../src/reasons.ts";
import { orrery } from "./command-line.ts";
import { fakeEdge, json, problem } from "./fake-edge.ts";

const bin = fileURLToPath(new URL("../bin/orrery.mjs", import.meta.url));

describe("explain", () => {
  test("knows every reason of the contract, offline, in any case", async () => {
    expect(reasonPages().length).toBeGreaterThan(20);
    for (const { reason, title, cause, fix } of reasonPages()) {
      const { code, stdout } = await orrery(["explain", reason.toLowerCase()]);
      expect(code).toBe(0);
      for (const text of [reason, title, cause, fix]) expect(stdout).toContain(text);
    }
  });

  test("lists them all, and says what may have been meant", async () => {
    expect((await orrery(["explain", "-o", "name"])).stdout.split("\n")).toContain("LEASE_LOST");
    expect(await orrery(["explain", "lease"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("LEASE_LOST"),
    });
  });
});

describe("exit codes", () => {
  test.each([
    [400, 2],
    [401, 4],
    [403, 4],
    [404, 3],
    [405, 2],
    [409, 10],
    [413, 2],
    [422, 10],
    [429, 9],
    [500, 1],
    [503, 9],
    [504, 9],
  ])("an answer %i ends with %i", async (status, code) => {
    await using edge = await fakeEdge({ "GET /x": problem(status, "INTERNAL", "title") });
    expect((await orrery(["api", "get", "/x"], edge)).code).toBe(code);
  });

  test("an edge that is away ends with 9, a wrong command line with 2, help with 0", async () => {
    const edge = await fakeEdge({});
    await edge[Symbol.asyncDispose]();
    expect(await orrery(["job", "ls"], edge)).toMatchObject({
      code: 9,
      stderr: expect.stringContaining("ECONNREFUSED"),
    });
    expect(await orrery(["job", "lss"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Did you mean ls"),
    });
    for (const args of [
      ["job", "get"],
      ["job", "ls", "--nope"],
      ["job", "ls", "-o", "nope"],
      ["job", "ls", "--limit", "0"],
    ]) {
      expect([args, (await orrery(args, { url: "http://127.0.0.1:9" })).code]).toEqual([args, 2]);
    }
    expect(await orrery(["--help"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Exit codes"),
    });
  });

  test.each(["top --help", "job tail -h", "workers run x --help"])(
    "help for a command that there is not ends with 2: orrery %s",
    async (line) => {
      const unknown = expect.stringMatching(/^error: unknown command '(top|tail|run)'/);
      expect(await orrery(line.split(" "))).toMatchObject({ code: 2, stdout: "", stderr: unknown });
    },
  );

  test.each(["--help", "job --help", "jobs submit -h", "help job"])(
    "help for a command that there is ends with 0: orrery %s",
    async (line) => {
      const { code, stdout } = await orrery(line.split(" "));
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^Usage: orrery/)]);
    },
  );

  test("an answer that says how long to wait is told with it", async () => {
    const away = problem(503, "DEPENDENCY_UNAVAILABLE", "not now");
    await using edge = await fakeEdge({
      "GET /x": (came, response) => away(came, response.setHeader("retry-after", "2")),
    });
    const { stderr } = await orrery(["api", "get", "/x"], edge);
    expect(stderr).toMatch(/^error: not now\n {2}Retry-After: 2 s\nfix: Wait as long as Retry-After says/);
  });

  test("what comes from a proxy and is no problem document is still told", async () => {
    await using edge = await fakeEdge({
      "GET /x": (_, response) => response.writeHead(502).end("<html>bad</html>"),
    });
    expect(await orrery(["api", "GET", "x"], edge)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the edge answered 502: <html>bad</html>"),
    });
  });
});

/** How a service refuses to submit such a job. */
function refusalOf(job: { task: string; queue: string }): Fault {
  try {
    requireValid(SubmitJobRequestSchema, create(SubmitJobRequestSchema, job));
  } catch (error) {
    return error as Fault;
  }
  throw new Error("it was not refused");
}

describe("a refusal", () => {
  const refusedFor = (...fields: string[]) => {
    const fieldViolations = fields.map((field) => ({ field, description: "is not allowed" }));
    const detail = `${fields[0]}: is not allowed (and ${fields.length - 1} more)`;
    const more = { detail, fieldViolations };
    return fakeEdge({ "POST /v1/jobs": problem(400, "INVALID_REQUEST", "The request is not valid", more) });
  };

  test("names the flags that a person typed, and where their help is", async () => {
    await using edge = await refusedFor("runTime", 'labels["A"]', "input.a", "queue");
    const flags = ["--run-time", "soon", "--tag", "A=b", "--set", "a=1"];
    const { code, stderr } = await orrery(["jobs", "submit", "t", ...flags], edge);
    expect([code, ...stderr.split("\n")]).toEqual([
      2,
      "error: The request is not valid",
      "  --run-time: is not allowed",
      '  --tag (labels["A"]): is not allowed',
      "  --set (input.a): is not allowed",
      "  queue: is not allowed",
      "fix: orrery job submit --help says what each flag takes",
      "code: INVALID_REQUEST  trace: 7f3a  docs: orrery explain INVALID_REQUEST",
      "",
    ]);
  });

  test.each([
    ["as services write it", (detail: string) => detail],
    ["in other words", (detail: string) => detail.replace(/ \(and .*/, "; one field besides")],
  ])("names each field once where its detail begins with the first, %s", async (_, written) => {
    const { message, fieldViolations } = refusalOf({ task: "no task!", queue: "no queue!" });
    expect(fieldViolations.map(({ field }) => field)).toEqual(["task", "queue"]);
    const more = { detail: written(message), fieldViolations };
    const refuse = problem(400, "INVALID_REQUEST", "The request is not valid", more);
    await using edge = await fakeEdge({ "POST /v1/jobs": refuse });
    const { stderr } = await orrery(["job", "submit", "no task!"], edge);
    const [task, queue] = fieldViolations.map(({ description }) => description);
    expect(stderr.split("\n").slice(0, 3)).toEqual([
      "error: The request is not valid",
      `  task: ${task}`,
      `  queue: ${queue}`,
    ]);
  });

  test("of a request that a person wrote names the API's own fields", async () => {
    await using edge = await refusedFor("input");
    const { stderr } = await orrery(["api", "post", "/v1/jobs", "-i", "{}"], edge);
    expect(stderr).toMatch(
      /^error: The request is not valid\n {2}input: is not allowed\nfix: Read fieldViolations/,
    );
  });
});

describe("api", () => {
  test("sends any request and prints the body as it came", async () => {
    await using edge = await fakeEdge({
      "POST /v1/jobs": (came, response) => response.end(`got ${came.body}`),
    });
    const args = ["api", "POST", "/v1/jobs", "-i", "-", "-H", "Prefer: wait=10"];
    expect(await orrery(args, { url: edge.url, stdin: '{"task": "t"}' })).toMatchObject({
      code: 0,
      stdout: 'got {"task": "t"}\n',
    });
    expect(edge.came[0]?.headers.prefer).toBe("wait=10");
  });
});

describe("doctor", () => {
  const healthy = {
    "GET /healthz": json({}),
    "GET /readyz": json({}),
    "GET /v1/overview": json({
      project: "demo",
      readModel: "embedded",
      lagMs: 12,
      complete: true,
      workers: 1,
    }),
    "GET /openapi.json": json({ info: { version: "1.4.0" } }),
  };

  test("finds nothing wrong where all is well", async () => {
    await using edge = await fakeEdge(healthy);
    const ran = await orrery(["doctor"], edge);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout.trim().split("\n")).toHaveLength(8);
    expect(ran.stdout).not.toContain("✖");
  });

  test.each([
    {
      wrong: "the edge is not ready",
      routes: { "GET /readyz": problem(503, "DEPENDENCY_UNAVAILABLE", "not ready") },
      code: 9,
      line: "✖ edge ready: not ready",
    },
    {
      wrong: "the key does not hold",
      routes: { "GET /v1/overview": problem(401, "UNAUTHENTICATED", "A valid API key is needed") },
      code: 4,
      line: "✖ key valid: A valid API key is needed",
    },
    {
      wrong: "the read model is behind",
      routes: {
        "GET /v1/overview": json({ project: "demo", readModel: "embedded", lagMs: 60_000, workers: 1 }),
      },
      code: 9,
      line: "✖ read model: embedded, 60000 ms behind",
    },
    {
      wrong: "there is no worker",
      routes: { "GET /v1/overview": json({ project: "demo", lagMs: 0, workers: 0 }) },
      code: 1,
      line: "✖ workers: none",
    },
    {
      wrong: "the versions do not fit",
      routes: { "GET /openapi.json": json({ info: { version: "99.0.0" } }) },
      code: 1,
      line: "✖ versions:",
    },
  ])("says so, and what to do, when $wrong", async ({ routes, code, line }) => {
    await using edge = await fakeEdge({ ...healthy, ...routes });
    const ran = await orrery(["doctor"], edge);
    expect(ran.code).toBe(code);
    expect(ran.stdout).toContain(line);
    expect(ran.stdout).toMatch(/✖.*\n {2}fix: \S/);
  });

  test("asks nothing more of an edge that does not answer", async () => {
    const gone = await fakeEdge(healthy);
    await gone[Symbol.asyncDispose]();
    const ran = await orrery(["doctor"], gone);
    expect(ran.code).toBe(9);
    expect(ran.stdout).toMatch(/✖ edge reachable: .*ECONNREFUSED.*\n {2}fix: name the platform with --url/);
    expect(ran.stdout.match(/✖/g)).toHaveLength(1);
  });

  test("says that nothing runs here", async () => {
    const ran = await orrery(["doctor", "-o", "json"], { cwd: "/" });
    expect(ran.code).toBe(9);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      checks: [
        { name: "run.json", ok: false },
        { name: "connection", ok: false },
      ],
    });
  });
});

test("the program on the path answers its version", () => {
  expect(execFileSync(process.execPath, [bin, "--version"], { encoding: "utf8" })).toMatch(
    /^orrery \d+\.\d+\.\d+\n$/,
  );
  expect(execFileSync(process.execPath, [bin, "explain", "LEASE_LOST"], { encoding: "utf8" })).toContain(
    "LEASE_LOST",
  );
});
