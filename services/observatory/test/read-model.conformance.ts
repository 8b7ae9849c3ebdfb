// What every read model has to do, whatever it stands on. Each adapter's test file calls this once, so both
// run the same tests and print the same count.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ReadModel } from "../src/application/ports.ts";
import { type ListOrder, NEWEST_FIRST } from "../src/domain/list-order.ts";
import type { Projection } from "../src/domain/projection.ts";
import { fits } from "../src/domain/query/evaluate.ts";
import type { Searched } from "../src/domain/query/fields.ts";
import { EVERYTHING, type Filter } from "../src/domain/query/filter.ts";
import { readQuery } from "../src/domain/query/read-query.ts";
import { searchKeysOf } from "../src/domain/search-keys.ts";
import { lowestUuidAt } from "../src/domain/uuid-time.ts";
import {
  missionProjectionOf,
  NOON_MS,
  projectionOf,
  searchedJob,
  searchedMission,
} from "./projection-factory.ts";
import { compareWithNaive } from "./read-model-comparison.ts";

const DAY_MS = 86_400_000;

/** A read model that can be made empty: no service may ask that of it. */
interface ResettableReadModel extends ReadModel {
  reset(): Promise<void>;
}

/** @param open - opens an empty read model; the suite closes it */
export function readModelConformance(open: () => Promise<ResettableReadModel>): void {
  let readModel: ResettableReadModel;
  let lastProject = 0;
  // Each test has a project of its own, so that none sees what another stored.
  const newProject = () => `project-${++lastProject}`;

  beforeAll(async () => {
    readModel = await open();
    await readModel.check();
  }, 120_000);
  afterAll(async () => {
    await readModel.reset();
    await readModel.close();
  });

  async function store(...batch: readonly Projection[]): Promise<void> {
    expect(await readModel.apply(batch)).toEqual(batch.map(() => "done"));
    await readModel.settle();
  }
  async function idsOf(project: string, q: string, order = NEWEST_FIRST): Promise<readonly string[]> {
    const search = {
      kind: "job",
      project,
      filter: filterOf(q),
      order,
      after: undefined,
      limit: 100,
    } as const;
    return (await readModel.search(search)).map((job) => job.id);
  }

  describe("storing", () => {
    test("a stored job is found by id with its version and body, exactly as given", async () => {
      const project = newProject();
      const job = searchedJob(1);
      const body = JSON.stringify({
        id: job.id,
        labels: { "": "ü\u2028😀" },
        nested: { "a.b": [1.5, null] },
      });
      await store(projectionOf(job, { project, body }));
      expect(await readModel.find("job", project, job.id)).toEqual({ id: job.id, version: 1, body });
    });

    test("a body and an envelope of 200 KiB are given back whole", async () => {
      const project = newProject();
      const job = searchedJob(5, { errorMessage: "e".repeat(8_192) });
      const body = JSON.stringify({ id: job.id, text: "ü".repeat(100_000) });
      const projection = projectionOf(job, { project, body });
      await store({ ...projection, event: { ...projection.event, envelope: body } });
      expect((await readModel.find("job", project, job.id))?.body).toBe(body);
      const [event] = await readModel.history(project, job.id, { afterVersion: 0, limit: 1 });
      expect(event?.envelope).toBe(body);
    });

    test("an older version that comes later changes nothing", async () => {
      const project = newProject();
      const job = searchedJob(2);
      await store(projectionOf({ ...job, status: "RUNNING" }, { project, version: 2, event: "JobStarted" }));
      await store(projectionOf(job, { project, version: 1 }));
      expect((await readModel.find("job", project, job.id))?.version).toBe(2);
      expect(await idsOf(project, "status:queued")).toEqual([]);
      expect(await idsOf(project, "status:running")).toEqual([job.id]);
    });

    test("a batch in any order with duplicates comes to the newest version and one event each", async () => {
      const project = newProject();
      const job = searchedJob(3);
      const versions = [3, 1, 2, 3, 1].map((version) => projectionOf(job, { project, version }));
      await store(...versions);
      await store(...versions);
      expect((await readModel.find("job", project, job.id))?.version).toBe(3);
      const history = await readModel.history(project, job.id, { afterVersion: 0, limit: 10 });
      expect(history.map((event) => event.version)).toEqual([1, 2, 3]);
    });

    test("a field that a newer version lacks is not kept from the older one", async () => {
      const project = newProject();
      const job = searchedJob(4, { errorType: "TIMEOUT", worker: "w-1", labels: { team: "red" } });
      await store(projectionOf(job, { project }));
      const { id } = job;
      await store(projectionOf(searchedJob(4), { project, version: 2 }));
      expect(await idsOf(project, "error.type:timeout OR worker:w-1 OR label.team:red OR timeout")).toEqual(
        [],
      );
      expect(await idsOf(project, "-error.type:timeout")).toEqual([id]);
    });
  });

  describe("versions", () => {
    const versionsOf = (project: string, id: string) => readModel.countVersions(project, id, 4);

    test("D3: a job is whole once each of its versions has come, whatever their order", async () => {
      const project = newProject();
      const job = searchedJob(6);
      const counted: number[] = [];
      for (const version of [4, 4, 2, 5, 1, 3]) {
        await store(projectionOf(job, { project, version }));
        counted.push(await versionsOf(project, job.id));
      }
      expect(counted).toEqual([1, 1, 2, 2, 3, 4]);
    });

    test("versions of another job, or of another project's, do not count", async () => {
      const [mine, other] = [newProject(), newProject()];
      const job = searchedJob(7);
      const versions = [1, 2, 3, 4].map((version) => projectionOf(job, { project: other, version }));
      await store(...versions, projectionOf(searchedJob(8), { project: mine }));
      expect([await versionsOf(mine, job.id), await versionsOf(other, job.id)]).toEqual([0, 4]);
    });
  });

  describe("missions and alerts", () => {
    const found = async (project: string, q: string): Promise<readonly string[]> => {
      const filter = filterOf(q, "missions");
      const search = { kind: "mission", project, filter, order: NEWEST_FIRST, after: undefined } as const;
      return (await readModel.search({ ...search, limit: 10 })).map(({ id }) => id);
    };

    test("a mission is found by name, status, label, time and any of its steps", async () => {
      const project = newProject();
      const steps = [
        { name: "reserve", task: "hotel.reserve" },
        { name: "Charge_card", task: "card.charge" },
      ];
      const mission = searchedMission(110, { steps, labels: { team: "Red" }, status: "NEEDS_ATTENTION" });
      await store(missionProjectionOf(mission, { project }));
      for (const q of [
        "name:BOOK-TRIP",
        "name:~trip",
        "status:needs_attention",
        "status:need*",
        "label.team:red",
        "created:2026-11-20",
        "step:reserve",
        "step:charge_CARD",
        "step:char*",
        "trip",
        "hotel",
        `id:${mission.id}`,
      ]) {
        expect([q, await found(project, q)]).toEqual([q, [mission.id]]);
      }
      for (const q of ["step:charge", "step:hotel*", "name:trip", "status:running", "-step:reserve"]) {
        expect([q, await found(project, q)]).toEqual([q, []]);
      }
    });

    test("jobs and missions are lists of their own, with counts of their own", async () => {
      const project = newProject();
      const mission = searchedMission(111, { status: "NEEDS_ATTENTION" });
      await store(missionProjectionOf(mission, { project }), projectionOf(searchedJob(112), { project }));
      expect(await found(project, "")).toEqual([mission.id]);
      expect(await idsOf(project, "")).toEqual([searchedJob(112).id]);
      const { jobs, missions } = await readModel.summary(project);
      expect([Object.fromEntries(jobs), Object.fromEntries(missions)]).toEqual([
        { QUEUED: 1 },
        { NEEDS_ATTENTION: 1 },
      ]);
      expect(await readModel.find("job", project, mission.id)).toBeUndefined();
      expect(await readModel.find("mission", project, mission.id)).toMatchObject({ version: 1 });
    });

    test("an older version of a mission that comes later changes nothing", async () => {
      const project = newProject();
      const mission = searchedMission(113);
      await store(missionProjectionOf(mission, { project, version: 3 }));
      await store(missionProjectionOf({ ...mission, status: "PENDING" }, { project, version: 1 }));
      expect(await found(project, "status:running")).toEqual([mission.id]);
      expect(await readModel.countVersions(project, mission.id, 3)).toBe(2);
    });

    test("events of a mission and of its jobs are found together, and by step", async () => {
      const project = newProject();
      const mission = searchedMission(114, { createMs: NOON_MS + 5_000 });
      const job = searchedJob(115, { mission: mission.id, step: "reserve" });
      const started = missionProjectionOf(mission, { project, event: "MissionStepStarted", step: "reserve" });
      const projections = [projectionOf(job, { project }), started];
      await store(
        ...projections,
        missionProjectionOf(mission, { project, version: 2, event: "MissionFailed" }),
      );
      const events = async (q: string) => {
        const search = { project, filter: filterOf(q, "events"), after: "", limit: 10 };
        return (await readModel.searchEvents(search)).map(({ eventId }) => eventId);
      };
      expect(await events("step:reserve")).toEqual(projections.map(({ event }) => event.eventId));
      expect(await events(`mission:${mission.id}`)).toHaveLength(3);
      expect(await events("event:missionfailed")).toHaveLength(1);
      expect(await events("name:book* status:running")).toHaveLength(2);
    });

    test("an alert is kept without events, its newest version alone", async () => {
      const project = newProject();
      const keys = (status: string) => ({
        keywords: { id: "a-1", status },
        numbers: { priority: 3 },
        labels: {},
        words: [],
      });
      const alert = (version: number, status: string): Projection => {
        const about = { kind: "alert", project, id: "a-1", version, failure: undefined } as const;
        return { document: { ...about, keys: keys(status), body: `{"v":${version}}` }, event: undefined };
      };
      await store(alert(2, "resolved"), alert(1, "firing"));
      expect(await readModel.find("alert", project, "a-1")).toMatchObject({ version: 2, body: '{"v":2}' });
      const firing = { kind: "alert", project, filter: filterOf("status:running") } as const;
      expect(await readModel.count(firing, 10)).toBe(0);
    });
  });

  describe("searching", () => {
    test("letter case and Unicode form do not matter", async () => {
      const project = newProject();
      const job = searchedJob(10, { task: "Straße.Öffnen", labels: { customer: "A\u030angström" } });
      await store(projectionOf(job, { project }));
      expect(await idsOf(project, "task:STRASSE.öffnen")).toEqual([]);
      expect(await idsOf(project, "task:straße.ÖFFNEN label.customer:ÅNGSTRÖM")).toEqual([job.id]);
    });

    test("a label's key and value cannot be confused with another's", async () => {
      const project = newProject();
      const tricky = searchedJob(11, { labels: { a: "x\u001fb=y", "a.b": "1" } });
      const plain = searchedJob(12, { labels: { a: "x", b: "y" } });
      await store(projectionOf(tricky, { project }), projectionOf(plain, { project }));
      expect(await idsOf(project, "label.b:y")).toEqual([plain.id]);
      expect(await idsOf(project, "label.a:x")).toEqual([plain.id]);
      expect(await idsOf(project, 'label.a:"x\u001fb=y" label.a.b:1')).toEqual([tricky.id]);
      expect(await idsOf(project, "label.a:*", { field: "created", direction: "asc" })).toEqual(
        [tricky.id, plain.id].sort(),
      );
    });

    test("a term about a missing field is false and its negation true", async () => {
      const project = newProject();
      const job = searchedJob(13);
      await store(projectionOf(job, { project }));
      const missing = ["started:>2020-01-01", "started:<2030-01-01", "worker:*", "label.x:*", "duration:<1h"];
      for (const term of missing) {
        expect([term, await idsOf(project, term)]).toEqual([term, []]);
        expect([term, await idsOf(project, `-${term}`)]).toEqual([term, [job.id]]);
      }
    });

    test.each<readonly [string, string]>([
      ["a phrase", `${manyWords(199, ".")}.rend*`],
      ["a phrase in a field", `error.message:"${manyWords(199, " ")} video"`],
      ["alternatives", manyWords(200, " OR ")],
      ["none of which may be there", `-queue:bulk ${manyWords(199, " -")}`],
      ["deep inside each other", `${"(a ".repeat(7)}${manyWords(190, " OR ")}${")".repeat(7)}`],
    ])("a query of 200 words, as many as there may be, is answered: %s", async (_what, q) => {
      const project = newProject();
      const job = searchedJob(16, { errorMessage: manyWords(199, " ") });
      await store(projectionOf(job, { project }), projectionOf(searchedJob(17), { project }));
      const fitting = [job, searchedJob(17)].filter((each) => fits(filterOf(q), searchKeysOf(each)));
      expect([...(await idsOf(project, q))].sort()).toEqual(fitting.map(({ id }) => id));
    });

    test("projects never see each other's jobs, events or figures", async () => {
      const [mine, other] = [newProject(), newProject()];
      const job = searchedJob(14, { status: "FAILED", errorType: "TIMEOUT", endMs: NOON_MS });
      await store(projectionOf(job, { project: mine }));
      expect(await idsOf(other, "")).toEqual([]);
      expect(await readModel.find("job", other, job.id)).toBeUndefined();
      expect(await readModel.history(other, job.id, { afterVersion: 0, limit: 10 })).toEqual([]);
      expect(await readModel.count({ kind: "job", project: other, filter: EVERYTHING }, 10)).toBe(0);
      const events = { project: other, filter: EVERYTHING, after: "", limit: 10 };
      expect(await readModel.searchEvents(events)).toEqual([]);
      expect((await readModel.summary(other)).failures).toEqual([]);
    });

    test("the deepest and the longest query that the language admits are answered", async () => {
      const project = newProject();
      const job = searchedJob(19, { queue: "q" });
      await store(projectionOf(job, { project }));
      const deepest = `${"-(a b OR ".repeat(7)}queue:q${")".repeat(7)}`;
      expect(await idsOf(project, `${deepest} OR queue:q`)).toEqual([job.id]);
      const values = Array.from({ length: 199 }, (_, number) => `v${number}`);
      expect(await idsOf(project, `queue:${values.join(",")},q`)).toEqual([job.id]);
    });

    test("counting stops at its limit", async () => {
      const project = newProject();
      await store(...[1, 2, 3, 4, 5].map((number) => projectionOf(searchedJob(20 + number), { project })));
      const counted = (atMost: number) =>
        readModel.count({ kind: "job", project, filter: EVERYTHING }, atMost);
      expect([await counted(4), await counted(5), await counted(6)]).toEqual([4, 5, 5]);
    });

    test("jobs of many days are found together", async () => {
      const project = newProject();
      const jobs = [0, 1, 2, 40].map((days) => searchedJob(30 + days, { createMs: NOON_MS - days * DAY_MS }));
      await store(...jobs.map((job) => projectionOf(job, { project })));
      expect(await idsOf(project, "")).toEqual(jobs.map((job) => job.id));
    });
  });

  describe("ordering", () => {
    const started = [undefined, 5, 3, undefined, 5, 1].map((minute, index) =>
      searchedJob(50 + index, { startMs: minute === undefined ? undefined : NOON_MS + minute * 60_000 }),
    );
    const idAt = (index: number) => started[index]?.id;
    const cases = [
      { direction: "asc", wanted: [5, 2, 1, 4, 0, 3] },
      { direction: "desc", wanted: [4, 1, 2, 5, 3, 0] },
    ] as const;

    test.each(cases)("jobs without the field come last and ties go by id, $direction", async (row) => {
      const project = newProject();
      await store(...started.map((job) => projectionOf(job, { project })));
      const order: ListOrder = { field: "started", direction: row.direction };
      expect(await idsOf(project, "", order)).toEqual(row.wanted.map(idAt));
    });

    test.each(cases)("walking page by page gives the same list, $direction", async (row) => {
      const project = newProject();
      await store(...started.map((job) => projectionOf(job, { project })));
      const order: ListOrder = { field: "started", direction: row.direction };
      const walked: string[] = [];
      let after: Parameters<ReadModel["search"]>[0]["after"];
      for (let page = 0; page < started.length; page++) {
        const [job] = await readModel.search({
          kind: "job",
          project,
          filter: EVERYTHING,
          order,
          after,
          limit: 1,
        });
        if (job === undefined) break;
        walked.push(job.id);
        after = job.position;
      }
      expect(walked).toEqual(row.wanted.map(idAt));
    });
  });

  describe("events", () => {
    test("the history of a job goes by version, after the one given", async () => {
      const project = newProject();
      const job = searchedJob(60);
      await store(...[2, 10, 1, 3].map((version) => projectionOf(job, { project, version })));
      const history = await readModel.history(project, job.id, { afterVersion: 1, limit: 2 });
      expect(history.map((event) => event.version)).toEqual([2, 3]);
      expect(JSON.parse(history[0]?.envelope ?? "")).toMatchObject({ aggregateVersion: 2 });
    });

    test("events are found by the job after them and by name, in the order of their ids", async () => {
      const project = newProject();
      const first = searchedJob(61);
      const second = searchedJob(62, { queue: "bulk" });
      const batch = [
        projectionOf(second, { project, version: 1 }),
        projectionOf(first, { project, version: 1 }),
        projectionOf({ ...first, status: "RUNNING" }, { project, version: 2, event: "JobStarted" }),
      ];
      await store(...batch);
      const found = async (q: string, after = "") => {
        const search = { project, filter: filterOf(q, "events"), after, limit: 10 };
        return (await readModel.searchEvents(search)).map((event) => event.eventId);
      };
      const ids = batch.map(({ event }) => event.eventId).sort();
      expect(await found("")).toEqual(ids);
      expect(await found("event:jobstarted queue:default")).toEqual([batch[2]?.event.eventId]);
      expect(await found("queue:bulk")).toEqual([batch[0]?.event.eventId]);
      expect(await found("", ids[0])).toEqual(ids.slice(1));
      expect(await found("", lowestUuidAt(NOON_MS + DAY_MS))).toEqual([]);
    });
  });

  describe("the whole project", () => {
    test("jobs are counted by status and failures grouped, the most frequent first", async () => {
      const project = newProject();
      const failed = (number: number, task: string, errorType: string) =>
        searchedJob(number, { task, errorType, status: "FAILED", startMs: NOON_MS, endMs: NOON_MS + number });
      const jobs = [
        searchedJob(70),
        failed(71, "Video.Render", "TIMEOUT"),
        failed(72, "Video.Render", "TIMEOUT"),
        failed(73, "order.fulfil", "TIMEOUT"),
      ];
      await store(...jobs.map((job) => projectionOf(job, { project })));
      const summary = await readModel.summary(project);
      expect(Object.fromEntries(summary.jobs)).toEqual({ QUEUED: 1, FAILED: 3 });
      expect(summary.failures).toEqual([
        { task: "Video.Render", errorType: "TIMEOUT", count: 2, lastEndMs: NOON_MS + 72 },
        { task: "order.fulfil", errorType: "TIMEOUT", count: 1, lastEndMs: NOON_MS + 73 },
      ]);
    });
  });

  describe("the store itself", () => {
    test.each(["job", "mission"] as const)(
      "generated queries over generated documents find what the naive evaluator finds: %s",
      async (kind) => {
        const result = await compareWithNaive(readModel, {
          kind,
          documents: 600,
          queries: 150,
          seed: 20_261_120,
          page: 100,
        });
        expect(result.differences).toEqual([]);
        expect(result.found).toBeGreaterThan(result.compared);
      },
      120_000,
    );

    test("its size is that of its documents: a job and its event are two", async () => {
      const before = await readModel.size();
      await store(projectionOf(searchedJob(79), { project: newProject() }));
      const after = await readModel.size();
      expect(after.documents).toBe(before.documents + 2);
      expect(after.bytes).toBeGreaterThan(0);
    });

    test("after a reset nothing is left and the generation is another", async () => {
      const project = newProject();
      const job = searchedJob(80);
      await store(projectionOf(job, { project }));
      const before = await readModel.check();
      await readModel.reset();
      const after = await readModel.check();
      expect(after.generation).not.toBe(before.generation);
      expect(await readModel.find("job", project, job.id)).toBeUndefined();
      await store(projectionOf(job, { project }));
      expect(await idsOf(project, "")).toEqual([job.id]);
    });
  });
}

/** So many words of one letter each; no two are the same. */
function manyWords(count: number, between: string): string {
  return Array.from({ length: count }, (_, index) => String.fromCodePoint(0x4e00 + index)).join(between);
}

function filterOf(q: string, searched: Searched = "jobs"): Filter {
  const reading = readQuery(q, { searched, nowMs: NOON_MS });
  if ("problem" in reading) throw new Error(reading.problem.message);
  return reading.filter;
}
