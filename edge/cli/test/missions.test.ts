import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { orrery } from "./command-line.ts";
import { fakeEdge, frames, json, problem } from "./fake-edge.ts";

const ID = "01890000-0000-7000-8000-00000000000a";
const step = (name: string, status: string, more: object = {}) => ({
  name,
  status,
  task: `order.${name}`,
  queue: "default",
  jobId: "",
  undoJobId: "",
  after: [],
  undoTask: `order.un${name}`,
  ...more,
});
const mission = (status: string, steps: readonly object[], more: object = {}) => ({
  id: ID,
  name: "order",
  status,
  version: 3,
  createTime: "2026-01-01T00:00:00Z",
  steps,
  ...more,
});
const event = (version: number, name: string, after: object, stepName = "") => ({
  id: String(version),
  event: name,
  data: { occurredAt: "2026-01-01T10:20:30Z", payload: { mission: after, step: stepName } },
});

describe("mission launch", () => {
  const declared = '{"name":"order","input":{"n":12345678901234567890},"steps":[{"name":"a","task":"t"}]}';

  test("sends the file as it was written, and prints the id and the address", async () => {
    await using edge = await fakeEdge({ "POST /v1/missions": json(mission("PENDING", []), 202) });
    const ran = await orrery(["mission", "launch", "-"], { url: edge.url, stdin: declared });
    expect(ran).toMatchObject({ code: 0, stdout: `${ID}\t${edge.url}/v1/missions/${ID}\n` });
    expect(edge.came[0]?.body).toBe(declared);
    const onScreen = await orrery(["mission", "launch", "-"], {
      url: edge.url,
      stdin: declared,
      screen: true,
    });
    expect(onScreen.stdout).toBe(`${ID}  ${edge.url}/missions/${ID}\n`);
  });

  test("reads YAML, and lets flags say name, input, labels and key", async () => {
    const folder = mkdtempSync(join(tmpdir(), "orrery-cli-"));
    const file = join(folder, "order.yaml");
    writeFileSync(file, "name: order\nsteps:\n  - { name: a, task: t }\n");
    await using edge = await fakeEdge({ "POST /v1/missions": json(mission("PENDING", []), 202) });
    const args = ["mission", "launch", file, "--name", "other", "--set", "a.b=1", "--label", "k=v"];
    await orrery([...args, "--idempotency-key", "once"], edge);
    rmSync(folder, { recursive: true });
    expect(JSON.parse(edge.came[0]?.body ?? "")).toEqual({
      name: "other",
      steps: [{ name: "a", task: "t" }],
      labels: { k: "v" },
      input: { a: { b: 1 } },
    });
    expect(edge.came[0]?.headers["idempotency-key"]).toBe("once");
  });

  test.each([
    ["no file", ["/nowhere/x.json"], ""],
    ["no mission", ["-"], "[1]"],
    ["no YAML", ["-"], "a: [1"],
  ])("refuses %s with 2 and sends nothing", async (_, args, stdin) => {
    await using edge = await fakeEdge({});
    expect((await orrery(["mission", "launch", ...args], { url: edge.url, stdin })).code).toBe(2);
    expect(edge.came).toEqual([]);
  });
});

describe("mission watch", () => {
  test.each([
    ["SUCCEEDED", 0],
    ["FAILED", 5],
    ["CANCELLED", 5],
    ["COMPENSATED", 6],
    ["NEEDS_ATTENTION", 7],
  ])("ends with the mission: %s is %i", async (status, code) => {
    const last = event(2, "Mission", mission(status, []));
    await using edge = await fakeEdge({ [`GET /v1/missions/${ID}:watch`]: frames([last], { open: true }) });
    expect((await orrery(["mission", "watch", ID], edge)).code).toBe(code);
  });

  test("moves a step in that is on the way back, with one arrow", async () => {
    const stepIs = (status: string) => mission("COMPENSATING", [step("charge", status)]);
    const sent = [
      event(5, "MissionStepUndoStarted", stepIs("UNDOING"), "charge"),
      event(6, "MissionStepUndoFailed", stepIs("UNDO_FAILED"), "charge"),
      event(7, "MissionStepUndone", stepIs("UNDONE"), "charge"),
      event(8, "MissionCompensated", mission("COMPENSATED", [])),
    ];
    await using edge = await fakeEdge({ [`GET /v1/missions/${ID}:watch`]: frames(sent) });
    const { stdout } = await orrery(["mission", "watch", ID], edge);
    expect(stdout.trimEnd().split("\n")).toEqual([
      "10:20:30    ↩ undoing  charge · MissionStepUndoStarted",
      "10:20:30    ↩ ✖ undo failed  charge · MissionStepUndoFailed",
      "10:20:30    ↩ undone  charge · MissionStepUndone",
      "10:20:30  ↩ compensated  MissionCompensated",
    ]);
  });

  test("ends with 8 when it waited long enough", async () => {
    await using edge = await fakeEdge({
      [`GET /v1/missions/${ID}:watch`]: frames([event(1, "MissionCreated", mission("PENDING", []))], {
        open: true,
      }),
    });
    const ran = await orrery(["mission", "watch", ID, "--wait", "100ms"], edge);
    expect(ran).toMatchObject({ code: 8, stderr: expect.stringContaining("still pending after 100ms") });
  });
});

describe("mission graph", () => {
  test("draws steps side by side, the pivot, and the way back from the last to the first", async () => {
    const steps = [
      step("reserve", "UNDONE"),
      step("charge", "UNDOING", { after: ["reserve"] }),
      step("pack", "FAILED", { after: ["reserve"], error: { type: "E", message: "no box" }, undoTask: "" }),
      step("ship", "SKIPPED", { after: ["charge", "pack"], pivot: true, undoTask: "" }),
    ];
    await using edge = await fakeEdge({
      [`GET /v1/observatory/missions/${ID}`]: json(mission("COMPENSATING", steps)),
    });
    const { stdout } = await orrery(["mission", "graph", ID], edge);
    expect(stdout.split("\n").map((line) => line.trimEnd())).toEqual([
      "order  ↩ compensating",
      "  1 ── reserve  ↩ undone  order.reserve",
      "  2 ┬─ charge   ↩ undoing  order.charge",
      "  2 └─ pack     ✖ failed  order.pack  E: no box",
      "  3 ── ship     · skipped  order.ship  ⚿ no undo past here",
      "",
      "    the way back",
      "    ↩─ charge   ↩ undoing  order.uncharge",
      "    ↩─ reserve  ↩ undone  order.unreserve",
      "",
    ]);
  });
});

describe("missions", () => {
  test("are listed from the read model and shown with their steps", async () => {
    const one = mission("RUNNING", [step("a", "SUCCEEDED"), step("b", "RUNNING", { jobId: "j2" })]);
    await using edge = await fakeEdge({
      "GET /v1/observatory/missions": json({ missions: [one], nextPageToken: "", lagMs: 0 }),
      [`GET /v1/observatory/missions/${ID}`]: json(one),
      [`GET /v1/observatory/missions/${ID}/history`]: json({ events: [], nextPageToken: "" }),
    });
    const listed = await orrery(["mission", "ls", "-q", "status:running"], edge);
    expect(listed.stdout).toContain(`${ID}\tRUNNING\torder\t1/2\t`);
    expect(edge.came[0]?.query.get("q")).toBe("status:running");
    const shown = (await orrery(["mission", "get", ID], edge)).stdout;
    expect(shown).toContain("status\tRUNNING");
    expect(shown).toContain("b\tRUNNING\torder.b\tj2\t");
    expect((await orrery(["mission", "events", ID], edge)).code).toBe(0);
  });

  test("say of a step that is under way what its job waits for, from where the mission is read", async () => {
    const steps = [
      step("a", "UNDOING", { jobId: "j1", undoJobId: "j2" }),
      step("b", "RUNNING", { jobId: "j3" }),
    ];
    const waits = (id: string, message: string) => ({
      id,
      status: "QUEUED",
      blocked: { reason: "NO_WORKER", message },
    });
    await using edge = await fakeEdge({
      [`GET /v1/observatory/missions/${ID}`]: json(mission("COMPENSATING", steps)),
      "GET /v1/jobs": json({ jobs: [waits("j2", "Nobody undoes it.")], nextPageToken: "" }),
      [`GET /v1/missions/${ID}`]: json(mission("RUNNING", steps.slice(1))),
      "GET /v1/jobs/j3": json(waits("j3", "Nobody serves it.")),
    });
    const shown = (await orrery(["mission", "get", ID], edge)).stdout;
    expect(shown).toMatch(
      /^a\tUNDOING\torder.a\tj1\tj2\tNobody undoes it[.]\nb\tRUNNING\torder.b\tj3\t\t\n/m,
    );
    expect(
      edge.came.slice(1).map(({ path, query }) => [path, query.get("q"), query.get("pageSize")]),
    ).toEqual([["/v1/jobs", `mission:${ID} status:queued,retrying`, "100"]]);
    const narrow = await orrery(["mission", "get", ID], { url: edge.url, screen: true, columns: 40 });
    expect(narrow.stdout).toContain("Nobody undoes it.\n");
    const drawn = (await orrery(["mission", "graph", ID, "--current"], edge)).stdout;
    expect(drawn).toContain("● running  order.b  Nobody serves it.");
    const before = edge.came.length;
    const whole = (await orrery(["mission", "get", ID, "-o", "ndjson"], edge)).stdout;
    expect([JSON.parse(whole), edge.came.length]).toEqual([mission("COMPENSATING", steps), before + 1]);
  });

  test("are shown without what their steps wait for where that cannot be read, which is told", async () => {
    const away = problem(503, "DEPENDENCY_UNAVAILABLE", "The store is away");
    const one = mission("RUNNING", [step("a", "RUNNING", { jobId: "j1" })]);
    await using edge = await fakeEdge({
      [`GET /v1/observatory/missions/${ID}`]: json(one),
      [`GET /v1/missions/${ID}`]: json(one),
      "GET /v1/jobs": away,
      "GET /v1/jobs/j1": away,
    });
    for (const from of [[], ["--current"]])
      expect(await orrery(["mission", "get", ID, ...from], edge)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("a\tRUNNING\torder.a\tj1\t\t\n"),
        stderr: "what holds its steps cannot be read: The store is away\n",
      });
  });

  test("that need attention are not undone by a cancellation alone, which says so and what to do", async () => {
    const stuck = mission("NEEDS_ATTENTION", [], { error: { type: "STEP_UNKNOWN", step: "charge" } });
    await using edge = await fakeEdge({ [`POST /v1/missions/${ID}:cancel`]: json(stuck) });
    const ran = await orrery(["mission", "cancel", ID], edge);
    expect(ran).toMatchObject({ code: 0, stdout: `${ID}\tNEEDS_ATTENTION\n` });
    expect(ran.stderr).toMatch(
      /^it waits for a person first; once that is settled, what was done is undone\n/,
    );
    expect(ran.stderr).toContain(`orrery mission retry ${ID}; `);
    expect(ran.stderr).toContain(`orrery mission resolve ${ID} --step charge --outcome `);
  });

  test("are changed by the command routes, and a refusal is told with its code", async () => {
    await using edge = await fakeEdge({
      [`POST /v1/missions/${ID}:cancel`]: problem(409, "MISSION_PAST_PIVOT", "The mission is past its pivot"),
      [`POST /v1/missions/${ID}:retry`]: json(mission("RUNNING", [])),
      [`POST /v1/missions/${ID}:resolve`]: json(mission("COMPENSATING", [])),
    });
    const cancelled = await orrery(["mission", "cancel", ID], edge);
    expect(cancelled).toMatchObject({ code: 10, stderr: expect.stringContaining("MISSION_PAST_PIVOT") });
    expect((await orrery(["mission", "retry", ID], edge)).stdout).toContain(`${ID}\tRUNNING`);
    const how = ["--step", "charge", "--outcome", "not-done", "--note", "asked the bank"];
    expect((await orrery(["mission", "resolve", ID, ...how], edge)).code).toBe(0);
    expect(edge.came.at(-1)?.body).toBe('{"step":"charge","outcome":"NOT_DONE","note":"asked the bank"}');
    const wrong = ["--step", "charge", "--outcome", "maybe", "--note", "x"];
    expect((await orrery(["mission", "resolve", ID, ...wrong], edge)).code).toBe(2);
  });
});

describe("a trace", () => {
  const span = (spanId: string, parentSpanId: string, at: string, duration: string, more: object = {}) => ({
    spanId,
    parentSpanId,
    name: `span ${spanId}`,
    service: "jobs",
    startTime: `2026-01-01T00:00:00${at}Z`,
    duration,
    ...more,
  });

  test("is drawn as bars over one time axis, each below its parent", async () => {
    const spans = [span("b", "a", ".005", "0.005s", { failed: true }), span("a", "", "", "0.010s")];
    await using edge = await fakeEdge({
      [`GET /v1/observatory/jobs/${ID}/trace`]: json({ traceId: "7f", spans, complete: true }),
    });
    const ran = await orrery(["job", "trace", ID, "--no-color"], {
      url: edge.url,
      screen: true,
      columns: 61,
    });
    expect(ran.stdout.split("\n")).toEqual([
      `jobs         span a   ${"━".repeat(26)}      10 ms`,
      `jobs           span b ${" ".repeat(13)}${"━".repeat(13)}    5.00 ms ✖`,
      "",
    ]);
  });

  test("that is not kept any more is not found", async () => {
    await using edge = await fakeEdge({
      [`GET /v1/observatory/missions/${ID}/trace`]: json({ traceId: "7f", spans: [], complete: false }),
    });
    expect((await orrery(["mission", "trace", ID], edge)).code).toBe(3);
  });
});
