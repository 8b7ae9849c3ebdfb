import { describe } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { testElasticsearch } from "@orrery/mesh/testing/test-elasticsearch";
import { openElasticReadModel } from "../../../src/adapters/elasticsearch/elastic-read-model.ts";
import { readModelConformance } from "../../read-model.conformance.ts";

describe("the read model in Elasticsearch", () => {
  readModelConformance(async () => {
    const { url, prefix } = testElasticsearch("read-model");
    const readModel = openElasticReadModel({ urls: [url], prefix: `${prefix}x` });
    // The run's server boots at the first request.
    await eventually(() => readModel.check(), { withinMs: 90_000, everyMs: 500 });
    return readModel;
  });
});
