import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Json } from "../../../mesh/dev/testing/json.ts";
import { Platform } from "../../../mesh/dev/testing/platform.ts";
import { readEvents } from "../../../mesh/dev/testing/sse.ts";

/** Missions from outside, with two of every process: each call may meet another replica. */
let platform: Platform;
beforeAll(async () => {
  platform = await Platform.start({ REPLICAS: "2" });
}, 240_000);
afterAll(async () => platform[Symbol.asyncDispose](), 90_000);

const echo = (name: string, more: object = {}) => ({
  name,
  task: "orrery.echo",
  input: { name },
  undo: { task: "orrery.echo" },
  ...more,
});
const fails = (name: string, more: object = {}) => ({
  name,
  task: "orrery.fail",
  input: { message: "planted", retryable: false },
  noUndo: true,
  ...more,
});
/** Its only attempt takes longer than it may: nobody knows whether it was done. */
const hangs = (name: string, more: object = {}) => ({
  name,
  task: "orrery.sleep",
  input: { ms: 20_000 },
  timeout: "0.3s",
  maxAttempts: 1,
  undo: { task: "orrery.echo" },
  ...more,
});
const sleeps = (name: string, more: object = {}) => ({
  name,
  task: "orrery.sleep",
  input: { ms: 60_000 },
  undo: { task: "orrery.echo" },
  ...more,
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  platform.send("POST", path, { body, headers });
const launched = async (steps: readonly object[], more: object = {}): Promise<string> => {
  const answer = await post("/v1/missions", { name: "story", steps, ...more });
  expect([answer.status, answer.body.detail]).toEqual([202, undefined]);
  return answer.body.id;
};
const until = async (id: string, good: (mission: Json) => boolean): Promise<Json> =>
  (await platform.readUntil(`/v1/missions/${id}`, ({ body }) => good(body), 30_000)).body;
const reaches = (id: string, status: string) => until(id, (mission) => mission.status === status);
const statuses = (mission: Json): string =>
  mission.steps.map((step: Json) => `${step.name}:${step.status}`).join(" ");
const watched = async (id: string): Promise<readonly string[]> => {
  const { frames } = await readEvents(`${platform.run.edge}/v1/missions/${id}:watch`, {
    key: platform.key(),
    lastEventId: "1",
  });
  return frames.map(({ event, data }) => `${event.slice("Mission".length)} ${data.payload.step}`.trim());
};

describe("a mission", () => {
  test("is accepted with 202 and a Location, and runs its steps as written", async () => {
    const steps = [
      echo("a"),
      echo("b", {
        input: { was: { $from: "steps.a.output.name" }, key: { $from: "steps.a.idempotencyKey" } },
      }),
      echo("c", { input: { $from: "input.list.1" } }),
    ];
    const request = { name: "order", input: { list: [1, "two"] }, labels: { team: "blue" }, steps };
    const answer = await post("/v1/missions", request);
    expect(answer.status).toBe(202);
    expect(answer.headers.get("location")).toBe(`/v1/missions/${answer.body.id}`);
    expect(answer.headers.get("orrery-consistency-token")).toBeTruthy();
    expect(answer.body).toMatchObject({
      project: "demo",
      name: "order",
      version: 1,
      labels: { team: "blue" },
    });
    const mission = await reaches(answer.body.id, "SUCCEEDED");
    expect(mission).toMatchObject({ version: 9, input: request.input, endTime: expect.any(String) });
    expect(mission.error).toBeUndefined();
    const outputs = await Promise.all(
      mission.steps.map(async ({ jobId }: Json) => (await platform.send("GET", `/v1/jobs/${jobId}`)).body),
    );
    const [a, b, c] = outputs;
    expect([a?.output, b?.output, c?.output]).toEqual([{ name: "a" }, { was: "a", key: a?.id }, "two"]);
    expect(a).toMatchObject({ missionId: mission.id, step: "a", correlationId: mission.correlationId });
  });

  test("runs branches side by side and waits for both where they meet", async () => {
    const steps = [
      echo("r"),
      sleeps("x", { after: ["r"], input: { ms: 700 } }),
      sleeps("y", { after: ["r"], input: { ms: 700 } }),
      echo("z", { after: ["x", "y"] }),
    ];
    const mission = await reaches(await launched(steps), "SUCCEEDED");
    const [, x, y, z] = mission.steps;
    expect(Date.parse(y.startTime)).toBeLessThan(Date.parse(x.endTime));
    expect(Date.parse(x.startTime)).toBeLessThan(Date.parse(y.endTime));
    expect(Date.parse(z.startTime)).toBeGreaterThanOrEqual(
      Math.max(Date.parse(x.endTime), Date.parse(y.endTime)),
    );
  });

  test.each([0, 1, 2, 3, 4])(
    "with a failure at step %i is undone in reverse order, each step once",
    async (broken) => {
      const names = ["a", "b", "c", "d", "e"];
      const steps = names.map((name, index) => (index === broken ? fails(name) : echo(name)));
      const mission = await reaches(await launched(steps), broken === 0 ? "FAILED" : "COMPENSATED");
      const back = names.slice(0, broken).reverse();
      const undone = (await watched(mission.id)).filter((event) => event.startsWith("StepUnd"));
      expect(undone).toEqual(back.flatMap((name) => [`StepUndoStarted ${name}`, `StepUndone ${name}`]));
      expect(mission.error).toMatchObject({ type: "ORRERY_FAIL", message: "planted", step: names[broken] });
      expect(statuses(mission)).toBe(
        names
          .map((name, at) => `${name}:${at < broken ? "UNDONE" : at === broken ? "FAILED" : "SKIPPED"}`)
          .join(" "),
      );
      const [undo] = mission.steps;
      if (broken > 0) {
        const { body } = await platform.send("GET", `/v1/jobs/${undo.undoJobId}`);
        expect(body.input).toEqual({
          idempotencyKey: undo.jobId,
          input: { name: "a" },
          output: { name: "a" },
        });
      }
    },
  );

  test("whose step refers to what is not there fails before that step begins", async () => {
    const steps = [echo("a"), echo("b", { input: { $from: "steps.a.output.nothing" } })];
    const mission = await reaches(await launched(steps), "COMPENSATED");
    expect(mission.steps[1]).toMatchObject({
      status: "FAILED",
      jobId: "",
      error: { type: "REFERENCE_MISSING" },
    });
  });

  test("with no worker for a task waits, and its job says so", async () => {
    const id = await launched([echo("a", { task: "nobody.serves" })]);
    const { steps } = await until(id, (mission) => mission.steps[0].jobId !== "");
    const end = Date.now() + 10_000;
    for (let reason = ""; reason !== "NO_WORKER"; ) {
      if (Date.now() > end) throw new Error(`the job says ${reason}`);
      reason = (await platform.send("GET", `/v1/jobs/${steps[0].jobId}`)).body.blocked?.reason ?? "";
    }
    expect((await post(`/v1/missions/${id}:cancel`, {})).status).toBe(200);
    expect((await reaches(id, "CANCELLED")).cancelRequestTime).toBeTruthy();
  });
});

describe("a step of unknown outcome", () => {
  test("runs its undoUnknown", async () => {
    const steps = [echo("a"), hangs("b", { undoUnknown: { task: "orrery.echo" } }), echo("c")];
    const mission = await reaches(await launched(steps), "COMPENSATED");
    expect(statuses(mission)).toBe("a:UNDONE b:UNDONE c:SKIPPED");
    const { body } = await platform.send("GET", `/v1/jobs/${mission.steps[1].undoJobId}`);
    expect(body.input).toEqual({ idempotencyKey: mission.steps[1].jobId, input: { ms: 20_000 } });
  });

  test("stops the mission where it has none, until a person says how it stands", async () => {
    const id = await launched([echo("a"), hangs("b"), echo("c")]);
    const stopped = await reaches(id, "NEEDS_ATTENTION");
    expect(stopped.error).toMatchObject({ type: "STEP_UNKNOWN", step: "b" });
    expect(statuses(stopped)).toBe("a:SUCCEEDED b:UNKNOWN c:PENDING");
    const bare = await post(`/v1/missions/${id}:resolve`, { step: "b", outcome: "NOT_DONE" });
    expect(bare.body).toMatchObject({ status: 400, fieldViolations: [{ field: "note" }] });
    const wrong = await post(`/v1/missions/${id}:resolve`, { step: "a", outcome: "DONE", note: "n" });
    expect(wrong.body).toMatchObject({ status: 409, reason: "MISSION_NOT_RESOLVABLE" });
    const resolved = await post(`/v1/missions/${id}:resolve`, {
      step: "b",
      outcome: "NOT_DONE",
      note: "looked",
    });
    expect(resolved.status).toBe(200);
    expect(statuses(await reaches(id, "COMPENSATED"))).toBe("a:UNDONE b:FAILED c:SKIPPED");
  });

  test("is tried again under the same job", async () => {
    const once = { task: "orrery.sleep", input: { $from: "input" }, timeout: "1s", maxAttempts: 1 };
    const id = await launched([hangs("a", once)], { input: { ms: 2_000 } });
    const stopped = await reaches(id, "NEEDS_ATTENTION");
    const retried = await post(`/v1/missions/${id}:retry`, { reason: "again" });
    expect(retried.body).toMatchObject({ status: "RUNNING" });
    const again = await reaches(id, "NEEDS_ATTENTION");
    expect(again.steps[0].jobId).toBe(stopped.steps[0].jobId);
    const { body } = await platform.send("GET", `/v1/jobs/${again.steps[0].jobId}/attempts`);
    expect(body.attempts).toHaveLength(2);
    await post(`/v1/missions/${id}:resolve`, { step: "a", outcome: "DONE", note: "it slept" });
    await reaches(id, "SUCCEEDED");
  });
});

describe("a pivot", () => {
  test("is where the way back ends: what fails past it needs attention, and goes on when tried again", async () => {
    const twice = fails("z", { input: { message: "once", retryable: false, times: 1 } });
    const id = await launched([echo("a"), echo("p", { pivot: true }), twice, echo("end")]);
    const stopped = await reaches(id, "NEEDS_ATTENTION");
    expect(stopped.error).toMatchObject({ type: "FAILED_PAST_PIVOT", step: "z" });
    const cancel = await post(`/v1/missions/${id}:cancel`, {});
    expect(cancel.body).toMatchObject({ status: 409, reason: "MISSION_PAST_PIVOT" });
    expect((await post(`/v1/missions/${id}:retry`, {})).status).toBe(200);
    expect(statuses(await reaches(id, "SUCCEEDED"))).toBe(
      "a:SUCCEEDED p:SUCCEEDED z:SUCCEEDED end:SUCCEEDED",
    );
    const late = await post(`/v1/missions/${id}:retry`, {});
    expect(late.body).toMatchObject({ status: 409, reason: "MISSION_NOT_RETRYABLE" });
    expect((await post(`/v1/missions/${id}:cancel`, {})).body.reason).toBe("MISSION_ALREADY_FINISHED");
  });
});

describe("a cancellation", () => {
  test("cancels what runs, on every branch, and then undoes what was done", async () => {
    const steps = [
      echo("r"),
      sleeps("x", { after: ["r"] }),
      sleeps("y", { after: ["r"] }),
      echo("z", { after: ["x"] }),
    ];
    const id = await launched(steps);
    await until(
      id,
      (mission) => mission.steps[1].status === "RUNNING" && mission.steps[2].status === "RUNNING",
    );
    const asked = await post(`/v1/missions/${id}:cancel`, { reason: "enough" });
    expect(asked.body).toMatchObject({ status: "COMPENSATING", cancelRequestTime: expect.any(String) });
    const mission = await reaches(id, "COMPENSATED");
    expect(statuses(mission)).toBe("r:UNDONE x:FAILED y:FAILED z:SKIPPED");
    expect((await post(`/v1/missions/${id}:cancel`, {})).body).toMatchObject({ version: mission.version });
    for (const { jobId } of mission.steps.slice(1, 3))
      expect((await platform.send("GET", `/v1/jobs/${jobId}`)).body.status).toBe("CANCELLED");
  });

  test("of a step's job alone is refused: the job belongs to its mission", async () => {
    const id = await launched([sleeps("a", { noUndo: true, undo: undefined })]);
    const mission = await until(id, ({ steps }) => steps[0].jobId !== "");
    for (const verb of ["cancel", "retry"]) {
      const answer = await post(`/v1/jobs/${mission.steps[0].jobId}:${verb}`, {});
      expect([answer.status, answer.body.reason]).not.toEqual([200, undefined]);
    }
    await post(`/v1/missions/${id}:cancel`, {});
    await reaches(id, "CANCELLED");
  });
});

describe("an undo that fails for good", () => {
  test("stops the mission, and is retried or settled by a person", async () => {
    const once = { task: "orrery.fail", input: { message: "stuck", retryable: false, times: 1 } };
    const [again, settled] = await Promise.all([
      launched([echo("a", { undo: once }), fails("b")]),
      launched([echo("a", { undo: once }), fails("b")]),
    ]);
    const stopped = await reaches(again, "NEEDS_ATTENTION");
    expect(stopped).toMatchObject({ error: { type: "UNDO_FAILED", step: "a" } });
    expect(statuses(stopped)).toBe("a:UNDO_FAILED b:FAILED");
    await post(`/v1/missions/${again}:retry`, {});
    expect(statuses(await reaches(again, "COMPENSATED"))).toBe("a:UNDONE b:FAILED");
    await reaches(settled, "NEEDS_ATTENTION");
    await post(`/v1/missions/${settled}:resolve`, { step: "a", outcome: "UNDONE", note: "by hand" });
    await reaches(settled, "COMPENSATED");
  });
});

describe("a shape is refused with its field", () => {
  test.each<[string, readonly object[], string]>([
    ["a cycle", [echo("a", { after: ["b"] }), echo("b", { after: ["a"] })], "steps[0].after[0]"],
    ["an unknown step", [echo("a"), echo("b", { after: ["z"] })], "steps[1].after[0]"],
    ["more than 64 steps", Array.from({ length: 65 }, (_, index) => echo(`s${index}`)), "steps"],
    ["two pivots", [echo("a", { pivot: true }), echo("b", { pivot: true })], "steps[1].pivot"],
    [
      "a step beside the pivot",
      [echo("a"), echo("p", { after: ["a"], pivot: true }), echo("b", { after: ["a"] })],
      "steps[2].after",
    ],
    [
      "no undo before the pivot",
      [echo("a", { undo: undefined }), echo("p", { pivot: true })],
      "steps[0].undo",
    ],
    ["undo and noUndo", [echo("a", { noUndo: true })], "steps[0].noUndo"],
    ["two of one name", [echo("a"), echo("a")], "steps[1].name"],
    [
      "a reference to a later step",
      [echo("a", { input: { $from: "steps.b.output" } }), echo("b")],
      "steps[0].input.$from",
    ],
    ["no steps", [], "steps"],
    ["a name that is none", [echo("1")], "steps[0].name"],
  ])("for %s", async (_, steps, field) => {
    const answer = await post("/v1/missions", { name: "bad", steps });
    expect(answer.body).toMatchObject({ status: 400, reason: "INVALID_REQUEST" });
    expect(answer.body.fieldViolations.map((violation: Json) => violation.field)).toContain(field);
  });
});

describe("a watch", () => {
  test("leaves no event out, ends with the mission, and gets 204 at its end", async () => {
    const id = await launched([echo("a"), fails("b")]);
    await reaches(id, "COMPENSATED");
    expect(await watched(id)).toEqual([
      ...[
        "Started",
        "StepStarted a",
        "StepSucceeded a",
        "StepStarted b",
        "StepFailed b",
        "CompensationStarted",
      ],
      ...["StepUndoStarted a", "StepUndone a", "Compensated"],
    ]);
    const url = `${platform.run.edge}/v1/missions/${id}:watch`;
    const { version } = await reaches(id, "COMPENSATED");
    const over = await readEvents(url, { key: platform.key(), lastEventId: String(version) });
    expect(over).toMatchObject({ status: 204 });
    const { frames } = await readEvents(url, { key: platform.key() });
    expect(frames).toMatchObject([
      { id: String(version), event: "snapshot", data: { status: "COMPENSATED" } },
    ]);
  });
});

describe("the same launch again", () => {
  test("under its key is the same mission at every gateway, and another one is refused", async () => {
    const body = { name: "keyed", steps: [echo("a")] };
    const key = { "idempotency-key": "mission-key-1" };
    const first = await post("/v1/missions", body, key);
    const second = await post("/v1/missions", body, key);
    expect([second.status, second.body.id]).toEqual([202, first.body.id]);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    const other = await post("/v1/missions", { ...body, name: "other" }, key);
    expect(other.body).toMatchObject({ status: 422, reason: "IDEMPOTENCY_KEY_REUSED" });
  });
});

describe("missions of a project", () => {
  test("are its own, are listed page by page, and change by the scopes of the key alone", async () => {
    const id = await launched([echo("a")]);
    const second = platform.key("second");
    expect((await platform.send("GET", `/v1/missions/${id}`, { key: second })).body.reason).toBe("NOT_FOUND");
    const readOnly = platform.key("demo", "readKeyFile");
    const refused = await platform.send("POST", "/v1/missions", {
      key: readOnly,
      body: { name: "no", steps: [echo("a")] },
    });
    expect(refused.body).toMatchObject({ status: 403, reason: "SCOPE_MISSING" });
    const page = (await platform.send("GET", "/v1/missions?pageSize=1", { key: readOnly })).body;
    expect(page.missions).toHaveLength(1);
    const next = await platform.send("GET", `/v1/missions?pageSize=1&pageToken=${page.nextPageToken}`);
    expect(next.body.missions[0].id < page.missions[0].id).toBe(true);
  });
});
