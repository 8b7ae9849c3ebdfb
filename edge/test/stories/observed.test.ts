import { readFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "../../../mesh/chassis/src/testing/eventually.ts";
import type { Json } from "../../../mesh/dev/testing/json.ts";
import { Platform } from "../../../mesh/dev/testing/platform.ts";

const byText = (left: string, right: string): number => (left < right ? -1 : 1);

interface Span {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly service: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the read model shows of missions and of traces, on two of everything. */
describe("what a platform shows of itself", () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await Platform.start({ REPLICAS: "2" });
  }, 240_000);
  afterAll(async () => platform[Symbol.asyncDispose](), 90_000);

  const get = async (path: string, project = "demo"): Promise<Json> => {
    const answer = await platform.send("GET", path, { key: platform.key(project) });
    expect([path, answer.status]).toEqual([path, 200]);
    return answer.body;
  };
  const run = async (headers: Record<string, string> = {}, project = "demo"): Promise<string> => {
    const sending = { body: { task: "orrery.echo", input: 1 }, key: platform.key(project) };
    const answer = await platform.send("POST", "/v1/jobs", {
      ...sending,
      headers: { prefer: "wait=20", ...headers },
    });
    expect(answer.body).toMatchObject({ status: "SUCCEEDED" });
    return answer.body.id;
  };
  /** The trace once nothing was added to it for a while. */
  const traceOf = async (path: string, project = "demo", least = 8): Promise<readonly Span[]> => {
    let before = -1;
    return eventually(
      async () => {
        const { spans, complete } = await get(`${path}/trace`, project);
        const count = spans.length;
        const settled = count >= least && count === before;
        before = count;
        expect([settled, complete]).toEqual([true, true]);
        return spans as readonly Span[];
      },
      { withinMs: 30_000, everyMs: 1_500 },
    );
  };
  const rootsOf = (spans: readonly Span[]) => {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    return spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
  };

  test("the trace of a job goes from REST to its projection without a gap", async () => {
    const id = await run();
    const spans = await traceOf(`/v1/observatory/jobs/${id}`);
    expect(rootsOf(spans).map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([
      ["POST /v1/jobs", ""],
    ]);
    const services = new Set(spans.map(({ service }) => service));
    expect(services).toEqual(new Set(["gateway", "jobs", "worker", "observatory"]));
    const names = spans.map(({ name }) => name);
    for (const name of ["job.submit", "postgres.transaction", "job.attempt", "job.report"]) {
      expect(names.filter((one) => one === name)).toHaveLength(1);
    }
    const published = names.filter((name) => name.startsWith("publish ")).sort();
    expect(published).toEqual(["publish JobQueued", "publish JobStarted", "publish JobSucceeded"]);
    expect(names.filter((name) => name === "project event")).toHaveLength(3);
    console.log(`trace of a job: ${spans.length} spans of ${services.size} services, 1 root, 0 gaps`);
  }, 60_000);

  test("two projects in one trace see their own work alone", async () => {
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const [mine, theirs] = [await run(headers), await run(headers, "second")];
    const seen = await traceOf(`/v1/observatory/jobs/${mine}`);
    const others = await traceOf(`/v1/observatory/jobs/${theirs}`, "second");
    const shared = seen.filter(({ spanId }) => others.some((other) => other.spanId === spanId));
    expect(shared).toEqual([]);
    const projects = new Set(seen.flatMap(({ attributes }) => attributes["orrery.project"] ?? []));
    expect(projects).toEqual(new Set(["demo"]));
    const answer = await platform.send("GET", `/v1/observatory/jobs/${theirs}/trace`);
    expect(answer.status).toBe(404);
  }, 90_000);

  test("no payload, and no other identity's spans, come into the trace store", async () => {
    const admin = platform.run.services.observatory?.[0]?.admin ?? "";
    expect(await posted(platform, `${admin}/v1/traces`, "operator")).toBe(403);
    expect(await posted(platform, `${admin}/v1/traces`, "gateway")).toBe(200);
    const id = await run();
    const spans = await traceOf(`/v1/observatory/jobs/${id}`);
    const names = new Set(spans.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...names].filter((name) => !/^(orrery|http|rpc)\./.test(name))).toEqual([]);
  }, 60_000);

  test("a mission is listed, read, searched and traced, with its jobs", async () => {
    const body = {
      name: "book-trip",
      labels: { team: "red" },
      input: { to: "Ulm" },
      steps: [
        { name: "reserve", task: "orrery.echo", undo: { task: "orrery.echo" } },
        { name: "charge", task: "orrery.fail", input: { message: "no", retryable: false }, noUndo: true },
      ],
    };
    const { id } = (await platform.send("POST", "/v1/missions", { body })).body;
    const ended = await eventually(
      async () => {
        const mission = await get(`/v1/observatory/missions/${id}`);
        expect(mission.status).toBe("COMPENSATED");
        return mission;
      },
      { withinMs: 30_000 },
    );
    expect(ended.input).toEqual({ to: "Ulm" });
    expect(await get(`/v1/missions/${id}`)).toEqual(ended);
    const q = encodeURIComponent("step:charge label.team:red name:~trip");
    const { missions } = await get(`/v1/observatory/missions?q=${q}`);
    expect(missions.map((mission: { id: string }) => mission.id)).toEqual([id]);
    expect(missions[0]).not.toHaveProperty("input");
    const { events, complete } = await get(`/v1/observatory/missions/${id}/history`);
    const versions = events.map((event: { aggregateVersion: number }) => event.aggregateVersion);
    expect([complete, versions]).toEqual([true, versions.map((_: number, index: number) => index + 1)]);
    const both = await get(`/v1/events?pageSize=100&q=${encodeURIComponent(`mission:${id}`)}`);
    const types = new Set(both.events.map((event: { eventType: string }) => event.eventType.split(".")[3]));
    expect(types).toEqual(new Set(["jobs", "orchestrator"]));
    expect((await get("/v1/overview")).missions).toEqual({ COMPENSATED: 1 });
    const spans = await traceOf(`/v1/observatory/missions/${id}`, "demo", 30);
    expect(rootsOf(spans).map(({ name }) => name)).toEqual(["POST /v1/missions"]);
    const parents = new Map(spans.map((span) => [span.spanId, span.name]));
    const under = (name: string) =>
      spans.filter((span) => span.name === name).map((span) => parents.get(span.parentSpanId) ?? "");
    // Each of its three jobs is a part of the errand that submitted it.
    const errands = ["step.submit", "step.submit", "undo.submit"];
    expect(under("job.submit").toSorted(byText)).toEqual(errands);
    expect(under("job.attempt").toSorted(byText)).toEqual(errands);
    expect([under("mission.begin").length, under("mission.advance").length >= 3]).toEqual([1, true]);
    console.log(`trace of a mission: ${spans.length} spans, 1 root, 0 gaps`);
    const ofStep = await traceOf(`/v1/observatory/jobs/${ended.steps[0].jobId}`);
    const attempts = ofStep.filter(({ name }) => /^(step\.submit|job\.submit|job\.attempt)$/.test(name));
    expect(attempts.map(({ name }) => name)).toEqual(["step.submit", "job.submit", "job.attempt"]);
  }, 90_000);
});

/** The status that an empty OTLP message gets from somebody. */
function posted(platform: Platform, url: string, identity: string): Promise<number> {
  const files = platform.run.identities[identity];
  return new Promise((done, failed) => {
    const options = {
      method: "POST",
      ca: readFileSync(platform.run.caFile),
      cert: readFileSync(files?.certFile ?? ""),
      key: readFileSync(files?.keyFile ?? ""),
    };
    const sent = httpsRequest(url, options, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    sent.on("error", failed);
    sent.end('{"resourceSpans":[]}');
  });
}
