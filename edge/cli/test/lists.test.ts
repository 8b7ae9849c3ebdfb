import { describe, expect, test } from "@jest/globals";
import { jobOf, orrery } from "./command-line.ts";
import { eventFrame, fakeEdge, frames, inTurn, json, problem } from "./fake-edge.ts";

const page = (ids: readonly string[], nextPageToken = "") => ({
  jobs: ids.map((id) => jobOf({ id, labels: { a: "b,c" } })),
  nextPageToken,
  asOf: "2026-01-01T00:00:00Z",
  lagMs: 120,
  complete: true,
  totalSize: 3,
  totalExact: true,
});

describe("job ls", () => {
  test("asks the read model, and prints plain columns where nobody watches", async () => {
    await using edge = await fakeEdge({ "GET /v1/jobs": json(page(["j1", "j2"])) });
    const ran = await orrery(
      ["job", "ls", "-q", "status:failed", "--order-by", "endTime desc", "--limit", "2"],
      edge,
    );
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout.split("\n").slice(0, 2)).toEqual([
      "id\tstatus\ttask\tqueue\tattempt\tcreated\twhy",
      "j1\tQUEUED\torrery.echo\tdefault\t0/5\t2026-01-01T00:00:00Z\t",
    ]);
    expect(Object.fromEntries(edge.came[0]?.query ?? [])).toEqual({
      q: "status:failed",
      orderBy: "endTime desc",
      pageSize: "2",
    });
  });

  test("prints an aligned table with glyph and colour on a screen, and beside it how fresh it is", async () => {
    await using edge = await fakeEdge({ "GET /v1/jobs": json(page(["j1"])) });
    const { stdout, stderr } = await orrery(["jobs", "list"], { url: edge.url, screen: true });
    expect(stdout).toContain("\u001b[1mid  status    task");
    expect(stdout).toContain("\u001b[36m○ queued");
    expect(stderr).toContain("1 of 3, as of 2026-01-01T00:00:00Z (120 ms behind)");
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }, { CI: "true" }]) {
      expect((await orrery(["job", "ls"], { url: edge.url, screen: true, env })).stdout).not.toContain(
        "\u001b",
      );
    }
    const plain = await orrery(["job", "ls", "--no-color"], { url: edge.url, screen: true });
    expect(plain.stdout).not.toContain("\u001b");
  });

  test("cuts the last column where the screen ends, and nothing where its width is not known", async () => {
    const failed = jobOf({ status: "FAILED", error: { type: "T", message: "x".repeat(200) } });
    await using edge = await fakeEdge({ "GET /v1/jobs": json({ jobs: [failed] }) });
    const ls = async (columns: number) =>
      (await orrery(["job", "ls", "--no-color"], { url: edge.url, screen: true, columns })).stdout.split(
        "\n",
      )[1];
    expect(await ls(140)).toMatch(/^.{139}…$/);
    expect(await ls(0)).toContain("x".repeat(200));
  });

  test("walks the pages up to its limit", async () => {
    await using edge = await fakeEdge({
      "GET /v1/jobs": inTurn(json(page(["j1", "j2"], "t2")), json(page(["j3"]))),
    });
    const { stdout } = await orrery(["job", "ls", "--limit", "150", "-o", "json"], edge);
    expect(JSON.parse(stdout)).toMatchObject({
      jobs: [{ id: "j1" }, { id: "j2" }, { id: "j3" }],
      nextPageToken: "",
    });
    expect(edge.came.map(({ query }) => [query.get("pageSize"), query.get("pageToken")])).toEqual([
      ["100", null],
      ["100", "t2"],
    ]);
  });

  test("begins at the page that it is given, and names the flag where that page is refused", async () => {
    const fieldViolations = [{ field: "pageToken", description: "is not a token of this list" }];
    const refused = problem(400, "INVALID_REQUEST", "The request is not valid", { fieldViolations });
    await using edge = await fakeEdge({
      "GET /v1/jobs": inTurn(json(page(["j3"], "t4")), json(page(["j4"])), refused),
    });
    const { stdout } = await orrery(["job", "ls", "--cursor", "t3", "-o", "name"], edge);
    expect(stdout).toBe("j3\nj4\n");
    expect(edge.came.map(({ query }) => query.get("pageToken"))).toEqual(["t3", "t4"]);
    const { code, stderr } = await orrery(["job", "ls", "--cursor", "no"], edge);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--cursor")]);
  });

  test("is what search asks for, with its words as the query", async () => {
    await using edge = await fakeEdge({ "GET /v1/jobs": json(page(["j1"])) });
    const ran = await orrery(["search", "status:failed", "task:video.*", "--limit", "2", "-o", "name"], edge);
    expect(ran).toEqual({ code: 0, stdout: "j1\n", stderr: "" });
    expect(Object.fromEntries(edge.came[0]?.query ?? [])).toEqual({
      q: "status:failed task:video.*",
      pageSize: "2",
    });
    expect((await orrery(["search"], edge)).code).toBe(2);
  });

  test.each([
    ["name", "j1\nj2\n"],
    [
      "ndjson",
      `${page(["j1", "j2"])
        .jobs.map((job) => JSON.stringify(job))
        .join("\n")}\n`,
    ],
    ["csv", /^id,status,task.*\nj1,QUEUED,.*,"?a=b,c"?/],
    ["yaml", /^jobs:\n {2}- id: j1\n/],
    ["wide", /labels/],
    ["json", `${JSON.stringify(page(["j1", "j2"]))}\n`],
  ])("prints %s", async (format, expected) => {
    await using edge = await fakeEdge({ "GET /v1/jobs": json(page(["j1", "j2"])) });
    const { stdout } = await orrery(["job", "ls", "-o", format], edge);
    if (typeof expected === "string") expect(stdout).toBe(expected);
    else expect(stdout).toMatch(expected);
  });

  test("never lets a label drive the reader's terminal", async () => {
    const evil = jobOf({ id: "j", task: "a\u001b[2Jb\tc", error: { type: "T", message: "x\ny\u009b31m" } });
    await using edge = await fakeEdge({ "GET /v1/jobs": json({ jobs: [evil] }) });
    for (const screen of [true, false]) {
      const { stdout } = await orrery(["job", "ls", "--no-color"], { url: edge.url, screen });
      expect(stdout).toContain("a·[2Jb·c");
      expect(stdout).toContain("T: x·y·31m");
    }
  });

  test("fails with 9 when the read model is further behind than --max-lag", async () => {
    await using edge = await fakeEdge({ "GET /v1/jobs": json(page([])) });
    expect((await orrery(["job", "ls", "--max-lag", "200ms"], edge)).code).toBe(0);
    expect(await orrery(["job", "ls", "--max-lag", "100ms"], edge)).toMatchObject({ code: 9, stdout: "" });
  });

  test("goes on with what happens, over one stream and no polling, until it is interrupted", async () => {
    const changed = eventFrame(2, "JobStarted", jobOf({ id: "j1", status: "RUNNING" }));
    await using edge = await fakeEdge({
      "GET /v1/jobs": json(page(["j1"])),
      "GET /v1/events:watch": frames([changed], { open: true }),
    });
    const args = ["job", "ls", "--watch", "-q", "task:x", "-o", "ndjson"];
    const { code, stdout } = await orrery(args, { url: edge.url, interruptAt: ['"RUNNING"'] });
    expect(code).toBe(130);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { status: string }).status),
    ).toEqual(["QUEUED", "RUNNING"]);
    const streams = edge.came.filter(({ path }) => path === "/v1/events:watch");
    expect(streams.map(({ query }) => query.get("q"))).toEqual(["task:x"]);
    expect(edge.came).toHaveLength(2);
  });
});

describe("--json", () => {
  const job = jobOf({ id: "j1", labels: { a: "b" } });

  test("prints of a list an array with the fields that it names, in their order", async () => {
    await using edge = await fakeEdge({
      "GET /v1/jobs": json(page(["j1", "j2"])),
      "GET /v1/alerts": json({ alerts: [{ id: "a1", name: "ServiceDown", status: "FIRING" }] }),
    });
    const { stdout } = await orrery(["job", "ls", "--json", "status,id"], edge);
    expect(stdout).toBe('[{"status":"QUEUED","id":"j1"},{"status":"QUEUED","id":"j2"}]\n');
    expect((await orrery(["alert", "ls", "--json", "name"], edge)).stdout).toBe('[{"name":"ServiceDown"}]\n');
  });

  test("prints of one thing an object, without a field that it does not have", async () => {
    await using edge = await fakeEdge({
      "GET /v1/observatory/jobs/j1": json(job),
      "GET /v1/observatory/missions/m1": json({ id: "m1", name: "order", steps: [] }),
    });
    const shown = async (...args: string[]) => (await orrery(args, edge)).stdout;
    expect(await shown("job", "get", "j1", "--json", "id, labels,nope")).toBe(
      '{"id":"j1","labels":{"a":"b"}}\n',
    );
    expect(await shown("mission", "get", "m1", "--json", "name")).toBe('{"name":"order"}\n');
  });

  test.each([
    ["beside -o", ["id", "-o", "yaml"], "-o and --json exclude each other"],
    ["without a name", [""], "lacks a name"],
    ["with a name that is empty", ["id,,status"], "--json id,,status lacks a name"],
  ])("is refused %s, with 2, and nothing is asked", async (_, given, why) => {
    await using edge = await fakeEdge({});
    const ran = await orrery(["job", "ls", "--json", ...given], edge);
    expect(ran).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(why) });
    expect(edge.came).toEqual([]);
  });

  test("prints a line for each change of a list that is watched", async () => {
    const changed = eventFrame(2, "JobStarted", jobOf({ id: "j1", status: "RUNNING" }));
    await using edge = await fakeEdge({
      "GET /v1/jobs": json(page(["j1"])),
      "GET /v1/events:watch": frames([changed], { open: true }),
    });
    const args = ["job", "ls", "--watch", "--json", "status"];
    const { stdout } = await orrery(args, { url: edge.url, interruptAt: ["RUNNING"] });
    expect(stdout).toBe('[{"status":"QUEUED"}]\n{"status":"RUNNING"}\n');
  });
});

test("metrics lists the project's figures", async () => {
  const figure = {
    name: "missions_open",
    description: "Missions that have not ended",
    unit: "missions",
    value: 3,
  };
  await using edge = await fakeEdge({ "GET /v1/metrics": json({ figures: [figure], lagMs: 0 }) });
  const { code, stdout } = await orrery(["metrics"], edge);
  expect(code).toBe(0);
  expect(stdout).toBe(
    "name\tvalue\tunit\tdescription\nmissions_open\t3\tmissions\tMissions that have not ended\n",
  );
});

describe("queues and workers", () => {
  const queue = { name: "media", paused: true, depth: { QUEUED: 3 }, oldestWaitSeconds: 7, concurrency: 2 };

  test("are listed from the read side", async () => {
    const worker = { worker: "w-1", tasks: ["a", "b"], queues: [], slots: 10, leases: 2, lastSeenTime: "t" };
    await using edge = await fakeEdge({
      "GET /v1/observatory/queues": json({ queues: [queue] }),
      "GET /v1/observatory/workers": json({ workers: [worker] }),
    });
    expect((await orrery(["queue", "ls"], edge)).stdout).toContain("media\tpaused\t0\t3\t0\t0\t7s\n");
    expect((await orrery(["workers", "ls"], edge)).stdout).toContain("w-1\tlive\t2/10\tt\ta b\n");
  });

  test("a queue is paused, resumed and limited by the command routes", async () => {
    await using edge = await fakeEdge({
      "GET /v1/observatory/queues": json({ queues: [queue] }),
      "POST /v1/queues/media:pause": json(queue),
      "POST /v1/queues/media:resume": json({ ...queue, paused: false }),
      "PATCH /v1/queues/media": json(queue),
    });
    const paused = await orrery(["queue", "pause", "media"], edge);
    expect(paused).toMatchObject({ stdout: expect.stringContaining("paused\ttrue"), stderr: "" });
    expect((await orrery(["queues", "resume", "media"], edge)).stdout).toContain("paused\tfalse");
    await orrery(["queue", "set", "media", "--concurrency", "5", "--rate", "100/1m"], edge);
    expect(edge.came[5]?.query.get("updateMask")).toBe("concurrency,rate");
    expect(edge.came[5]?.body).toBe('{"concurrency":5,"rate":{"limit":100,"period":"60s"}}');
    expect((await orrery(["queue", "set", "media"], edge)).code).toBe(2);
  });

  test("a queue is paused while the read side does not answer", async () => {
    await using edge = await fakeEdge({
      "GET /v1/observatory/queues": () => undefined,
      "POST /v1/queues/media:pause": json(queue),
    });
    const paused = await orrery(["queue", "pause", "media"], edge);
    expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining("paused\ttrue"), stderr: "" });
  });

  test("a queue that was not there before is changed, and the change is told to be its first", async () => {
    await using edge = await fakeEdge({
      "GET /v1/observatory/queues": json({ queues: [queue] }),
      "POST /v1/queues/meda:pause": json({ ...queue, name: "meda" }),
    });
    expect(await orrery(["queue", "pause", "meda", "-o", "name"], edge)).toEqual({
      code: 0,
      stdout: "meda\n",
      stderr: "queue meda is new: nothing was submitted to it yet; orrery queue ls lists all\n",
    });
  });
});
