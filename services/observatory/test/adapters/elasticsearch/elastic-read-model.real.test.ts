import { Client } from "@elastic/elasticsearch";
import { describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { testElasticsearch } from "@orrery/mesh/testing/test-elasticsearch";
import { openElasticReadModel } from "../../../src/adapters/elasticsearch/elastic-read-model.ts";
import { indexOfDay } from "../../../src/adapters/elasticsearch/index-templates.ts";
import { projectionOf, searchedJob } from "../../projection-factory.ts";
import { readModelConformance } from "../../read-model.conformance.ts";

async function open(clock?: ManualClock) {
  const { url, prefix } = testElasticsearch("read-model");
  const readModel = openElasticReadModel({
    urls: [url],
    prefix: `${prefix}x`,
    ...(clock === undefined ? {} : { clock }),
  });
  // The run's server boots at the first request.
  await eventually(() => readModel.check(), { withinMs: 90_000, everyMs: 500 });
  return { readModel, url, jobs: `${prefix}x-jobs` };
}

describe("the read model in Elasticsearch", () => {
  readModelConformance(async () => (await open()).readModel);
});

describe("the indices", () => {
  test("one of this week that is taken away begins a new generation, and is made again", async () => {
    const clock = new ManualClock(searchedJob(1).createMs);
    const { readModel, url, jobs } = await open(clock);
    const client = new Client({ node: url });
    const job = searchedJob(1);
    await readModel.apply([projectionOf(job)]);
    const before = await readModel.check();
    await client.indices.delete({ index: indexOfDay(jobs, job.id) });
    const after = await readModel.check();
    expect(after.generation).not.toBe(before.generation);
    expect(await readModel.check()).toEqual(after);
    expect(await readModel.apply([projectionOf(job)])).toEqual(["done"]);
    await readModel.settle();
    expect((await readModel.find("job", "demo", job.id))?.version).toBe(1);
    await readModel.reset();
    await readModel.close();
    await client.close();
  }, 120_000);

  test("an old one that its retention dropped changes nothing", async () => {
    const clock = new ManualClock(searchedJob(1).createMs + 30 * 86_400_000);
    const { readModel, url, jobs } = await open(clock);
    const client = new Client({ node: url });
    const job = searchedJob(1);
    await readModel.apply([projectionOf(job)]);
    const before = await readModel.check();
    await client.indices.delete({ index: indexOfDay(jobs, job.id) });
    expect(await readModel.check()).toEqual(before);
    await readModel.reset();
    await readModel.close();
    await client.close();
  }, 120_000);

  test("a document that the mapping refuses is rejected, and its neighbours are stored", async () => {
    const { readModel } = await open();
    const good = projectionOf(searchedJob(1));
    const keys = { ...good.document.keys, numbers: { created: "never" as unknown as number } };
    const other = projectionOf(searchedJob(2));
    const bad = { ...other, document: { ...other.document, keys } };
    const outcomes = await readModel.apply([good, bad]);
    expect(outcomes).toEqual(["done", { rejected: expect.stringContaining("document_parsing_exception") }]);
    await readModel.reset();
    await readModel.close();
  }, 120_000);

  test("while no server answers every call is DEPENDENCY_UNAVAILABLE", async () => {
    const readModel = openElasticReadModel({ urls: ["http://127.0.0.1:9"], prefix: "absent" });
    const absent = { reason: "DEPENDENCY_UNAVAILABLE" };
    await expect(readModel.check()).rejects.toMatchObject(absent);
    await expect(readModel.apply([projectionOf(searchedJob(1))])).rejects.toMatchObject(absent);
    await expect(readModel.find("job", "demo", searchedJob(1).id)).rejects.toMatchObject(absent);
    await readModel.close();
  });
});
