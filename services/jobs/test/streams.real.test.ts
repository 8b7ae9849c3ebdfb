import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  SubmitJobRequestSchema,
  type SubmitJobStreamResponse,
  type WatchJobResponse,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import {
  WorkRequestSchema,
  type WorkResponse,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { eventually } from "@orrery/mesh/testing/eventually";
import { type As, type EngineWorld, engineWorld } from "./engine-world.ts";

let world: EngineWorld;
let other: EngineWorld;
beforeAll(async () => {
  world = await engineWorld();
  other = world.replica();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const submit = async (task: string, more: object = {}): Promise<string> =>
  (await world.ask("submitJob", { task, ...more })).job?.id ?? "";

/** What one side of a stream says, as it comes to mind. */
class Voice<M> {
  readonly #said: M[] = [];
  #wake: (() => void) | undefined;
  #over = false;

  say(message: M): void {
    this.#said.push(message);
    this.#wake?.();
  }

  /** How much was not listened to yet. */
  get unheard(): number {
    return this.#said.length;
  }

  hangUp(): void {
    this.#over = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<M, void> {
    for (;;) {
      while (this.#said.length > 0) yield this.#said.shift() as M;
      if (this.#over) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

type Said = NonNullable<
  Exclude<MessageInitShape<typeof WorkRequestSchema>, { $typeName: string }>["message"]
>;

/** A worker over its stream: what it hears is kept in order. */
class StreamWorker implements AsyncDisposable {
  readonly heard: WorkResponse[] = [];
  readonly ended: Promise<unknown>;
  readonly #voice = new Voice<object>();
  readonly #gone = new AbortController();
  #sequence = 0;

  constructor(at: EngineWorld, as: As = {}) {
    const responses = at.stream<unknown, WorkResponse>("work", this.#voice, {
      ...as,
      signal: this.#gone.signal,
    });
    this.ended = (async () => {
      for await (const response of responses) this.heard.push(response);
    })().catch((failure: unknown) => faultFrom(failure).reason);
  }

  say(message: Said): number {
    this.#sequence += 1;
    this.#voice.say(create(WorkRequestSchema, { sequence: this.#sequence, message }));
    return this.#sequence;
  }

  register(task: string, slots = 10): this {
    this.say({ case: "register", value: { worker: "streamed", tasks: [task], slots } });
    return this;
  }

  credit(jobs: number): this {
    this.say({ case: "credit", value: { jobs } });
    return this;
  }

  leases() {
    return this.heard.flatMap(({ message }) => (message.case === "leases" ? message.value.leases : []));
  }

  cancels() {
    return this.heard.flatMap(({ message }) => (message.case === "cancel" ? message.value.leases : []));
  }

  outcomes(sequence: number) {
    const answer = this.heard.find((response) => response.sequence === sequence);
    return answer?.message.case === "outcomes" ? answer.message.value.outcomes : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#voice.hangUp();
    this.#gone.abort();
    await this.ended;
  }
}

describe("a worker's stream", () => {
  test("brings no more leases than there is credit, and further ones as credit comes", async () => {
    for (let job = 0; job < 5; job += 1) await submit("credit");
    await using worker = new StreamWorker(world).register("credit").credit(2);
    await eventually(() => expect(worker.leases()).toHaveLength(2));
    worker.credit(1);
    await eventually(() => expect(worker.leases()).toHaveLength(3));
    const { queue } = await world.ask("getQueue", { queue: "default" });
    expect(queue?.depth.QUEUED).toBe(2);
    worker.credit(10);
    await eventually(() => expect(worker.leases()).toHaveLength(5));
  });

  test("takes results, failures, releases and heartbeats, and answers each by its sequence", async () => {
    for (let job = 0; job < 4; job += 1) await submit("words");
    await using worker = new StreamWorker(world).register("words").credit(4);
    await eventually(() => expect(worker.leases()).toHaveLength(4));
    const [a, b, c, d] = worker.leases().map(({ jobId, leaseEpoch }) => ({ jobId, leaseEpoch }));
    if (!a || !b || !c || !d) throw new Error("four were granted");
    const said = [
      worker.say({ case: "complete", value: { results: [a] } }),
      worker.say({ case: "fail", value: { results: [{ ...b, error: { type: "E", message: "m" } }] } }),
      worker.say({ case: "release", value: { leases: [c] } }),
      worker.say({ case: "heartbeat", value: { worker: "streamed", leases: [d] } }),
    ];
    for (const sequence of said)
      await eventually(() => expect(worker.outcomes(sequence)).toMatchObject([{ ok: true }]));
  });

  test.each([
    ["the same replica", () => world],
    ["another replica", () => other],
  ])("tells within a second of a cancellation that came to %s", async (_where, at) => {
    const id = await submit("stop");
    await using worker = new StreamWorker(world).register("stop").credit(1);
    await eventually(() => expect(worker.leases()).toHaveLength(1));
    await at().ask("cancelJob", { id });
    await eventually(() => expect(worker.cancels()).toMatchObject([{ jobId: id, leaseEpoch: 1 }]), {
      withinMs: 1_000,
    });
    const said = worker.say({
      case: "fail",
      value: { results: [{ jobId: id, leaseEpoch: 1, error: { type: "CANCELLED" }, cancelled: true }] },
    });
    await eventually(() => expect(worker.outcomes(said)).toMatchObject([{ ok: true }]));
    expect(await world.sequence(id)).toEqual(["Queued", "Started", "CancelRequested", "Cancelled"]);
  });

  test("that is gone is granted nothing more", async () => {
    const worker = new StreamWorker(world).register("left").credit(5);
    await eventually(() => expect(worker.heard).toHaveLength(1));
    await worker[Symbol.asyncDispose]();
    const id = await submit("left");
    await using next = new StreamWorker(world).register("left").credit(1);
    await eventually(() => expect(next.leases()).toMatchObject([{ jobId: id, attempt: 1 }]));
  });

  test("brings 500 leases in one message where inputs are small, whatever is in them", async () => {
    const one = { kind: { case: "numberValue", value: 1 } } as const;
    const value = { values: Array.from({ length: 255 }, () => one) };
    const input = { kind: { case: "listValue", value } } as const;
    const jobs = Array.from({ length: 500 }, () => ({ task: "small", input }));
    await world.ask("batchSubmitJobs", { jobs });
    await using worker = new StreamWorker(world).register("small").credit(500);
    await eventually(() => expect(worker.leases()).toHaveLength(500));
    expect(worker.heard.filter(({ message }) => message.case === "leases")).toHaveLength(1);
  });

  test.each([
    ["and on as they are", "reads on"],
    ["and ends when the worker goes", "goes"],
  ])("is read no further than its answers are heard, %s", async (_how, then) => {
    const voice = new Voice<object>();
    const say = (message: Said) => voice.say(create(WorkRequestSchema, { message }));
    say({ case: "register", value: { worker: "deaf", tasks: ["deaf"], slots: 1 } });
    const gone = new AbortController();
    const { signal } = gone;
    const answers = world.stream<unknown, WorkResponse>("work", voice, { signal })[Symbol.asyncIterator]();
    await answers.next();
    for (let beat = 0; beat < 1_000; beat += 1)
      say({ case: "heartbeat", value: { worker: "deaf", leases: [{ jobId: "unknown" }] } });
    let before = -1;
    await eventually(
      () => {
        const soFar = before;
        before = voice.unheard;
        expect(voice.unheard).toBe(soFar);
      },
      { everyMs: 200 },
    );
    expect(voice.unheard).toBeGreaterThan(850);
    if (then === "goes") {
      gone.abort();
      await answers.return?.();
      return;
    }
    voice.hangUp();
    let heard = 0;
    while ((await answers.next()).done !== true) heard += 1;
    expect(heard).toBe(1_000);
  });

  test("that is gone gives back at once what was leased for it and not yet handed over", async () => {
    const jobs = Array.from({ length: 500 }, () => ({ task: "unread", queue: "unread" }));
    await world.ask("batchSubmitJobs", { jobs });
    const depth = async () => (await world.ask("getQueue", { queue: "unread" })).queue?.depth;
    const voice = new Voice<object>();
    const say = (message: NonNullable<MessageInitShape<typeof WorkRequestSchema>["message"]>) =>
      voice.say(create(WorkRequestSchema, { message }));
    say({ case: "register", value: { worker: "slow", tasks: ["unread"], slots: 10 } });
    const gone = new AbortController();
    const answers = world
      .stream<unknown, WorkResponse>("work", voice, { signal: gone.signal })
      [Symbol.asyncIterator]();
    const hear = async () => ((await answers.next()) as { value: WorkResponse }).value.message.case;
    expect(await hear()).toBe("registered");
    // The answer to the heartbeat is there before the leases, which then wait behind it: nobody reads on.
    const next = hear();
    say({ case: "credit", value: { jobs: 500 } });
    say({ case: "heartbeat", value: {} });
    expect(await next).toBe("outcomes");
    await eventually(async () => expect(await depth()).toMatchObject({ RUNNING: 500 }));
    gone.abort();
    voice.hangUp();
    await answers.return?.();
    expect(await depth()).toMatchObject({ RUNNING: 0, QUEUED: 500 });
  });

  test("is known by its tasks, of a name that is too long by as much as tells that", async () => {
    for (const [name, kept] of [
      ["x".repeat(10_000), "x".repeat(129)],
      ["😀".repeat(100), `${"😀".repeat(64)}\ufffd`],
    ] as const) {
      await using _worker = new StreamWorker(world).register(name);
      await eventually(async () => {
        const { workers } = await world.ask("listWorkers", {});
        expect(workers).toContainEqual(expect.objectContaining({ tasks: [kept] }));
      });
    }
  });

  test.each([
    ["speaks before it registers", (worker: StreamWorker) => worker.credit(1), "INVALID_REQUEST"],
    ["registers twice", (worker: StreamWorker) => worker.register("t").register("t"), "INVALID_REQUEST"],
    [
      "asks for the platform's tasks",
      (worker: StreamWorker) => worker.register("orrery.http"),
      "TASK_RESERVED",
    ],
  ])("ends with the reason when the worker %s", async (_what, act, reason) => {
    await using worker = new StreamWorker(world);
    act(worker);
    expect(await worker.ended).toBe(reason);
  });
});

async function frames(id: string, lastEventId = "", until = 99): Promise<string[]> {
  const seen: string[] = [];
  for await (const { id: version, event } of world.stream<object, WatchJobResponse>("watchJob", {
    id,
    lastEventId,
  })) {
    seen.push(`${version} ${event}`);
    if (seen.length === until) break;
  }
  return seen;
}

describe("a watch", () => {
  test("begins with a snapshot, leaves no event out, and ends after the last", async () => {
    const id = await submit("watched", { delay: { nanos: 200_000_000 } });
    const watching = frames(id);
    const { leases } = await other.ask("leaseJobs", { tasks: ["watched"], worker: "w", waitSeconds: 10 });
    await other.ask("completeAttempts", {
      results: leases.map(({ jobId, leaseEpoch }) => ({ jobId, leaseEpoch })),
    });
    expect(await watching).toEqual(["1 snapshot", "2 JobQueued", "3 JobStarted", "4 JobSucceeded"]);
  });

  test("goes on after the frame that was seen last, without a snapshot", async () => {
    const id = await submit("resumed");
    await world.ask("cancelJob", { id });
    expect(await frames(id, "1")).toEqual(["2 JobCancelled"]);
    expect(await frames(id, "2")).toEqual([]);
    expect(await frames(id)).toEqual(["2 snapshot"]);
  });

  test.each([
    ["what follows", [2, 3, 4], ["1 reset", "4 snapshot"]],
    ["one event between others", [3], ["2 JobStarted", "2 reset", "4 snapshot"]],
    ["the last event", [4], ["2 JobStarted", "3 JobAttemptReleased", "3 reset", "4 snapshot"]],
  ])("says reset and begins anew when %s is no longer kept", async (_which, versions, expected) => {
    const id = await submit("forgotten");
    await world.ask("leaseJobs", { tasks: ["forgotten"], worker: "w" });
    await world.ask("releaseAttempts", { leases: [{ jobId: id, leaseEpoch: 1 }] });
    await world.ask("cancelJob", { id });
    const text = "delete from outbox where aggregate_id = $1 and version = any($2)";
    await world.administrator().query({ name: "", text }, [id, versions]);
    expect(await frames(id, "1")).toEqual(expected);
  });

  test.each(["3", "0", "-1", "1.5", "nonsense", "999999999"])(
    "says reset and begins anew after %s, which was never sent",
    async (unknown) => {
      const id = await submit("never-sent");
      await world.ask("cancelJob", { id });
      const seen = await frames(id, unknown);
      expect(seen.map((frame) => frame.split(" ")[1])).toEqual(["reset", "snapshot"]);
    },
  );

  test("carries the job, and then envelopes as they were published", async () => {
    const id = await submit("data");
    const data: JsonObject[] = [];
    const watching = (async () => {
      for await (const frame of world.stream<object, WatchJobResponse>("watchJob", { id, lastEventId: "" }))
        data.push(frame.data ?? {});
    })();
    await eventually(() => expect(data).toHaveLength(1));
    await world.ask("cancelJob", { id });
    await watching;
    expect(data).toMatchObject([
      { id, status: "QUEUED", blocked: { reason: "NO_WORKER" } },
      { eventType: "orrery.events.v1.jobs.JobCancelled", payload: { job: { id, status: "CANCELLED" } } },
    ]);
  });

  test("of another project's job is of an unknown one", async () => {
    const id = await submit("foreign");
    const stream = world.stream<object, WatchJobResponse>(
      "watchJob",
      { id, lastEventId: "" },
      { project: "second" },
    );
    const first = stream[Symbol.asyncIterator]().next();
    await expect(first.catch((failure: unknown) => faultFrom(failure).reason)).resolves.toBe("NOT_FOUND");
  });
});

describe("a stream of submissions", () => {
  test("answers each by its index, and a bad one never ends it", async () => {
    const voice = new Voice<object>();
    for (let index = 0; index < 500; index += 1)
      voice.say({ index, job: create(SubmitJobRequestSchema, { task: index === 7 ? "" : "streamed" }) });
    voice.hangUp();
    const answers = new Map<number, string | undefined>();
    for await (const { index, outcome } of world.stream<unknown, SubmitJobStreamResponse>(
      "submitJobStream",
      voice,
    ))
      answers.set(index, outcome?.result.case);
    expect(answers.size).toBe(500);
    expect([...answers].filter(([, kind]) => kind !== "job")).toEqual([[7, "error"]]);
  });
});
