import { describe, expect, test } from "@jest/globals";
import { readSettings } from "../src/settings.ts";

describe("settings", () => {
  test("that are absent or empty are the defaults", () => {
    const { firstPort, readModel, replicas, relay, projects, leafLifetimeMs } = readSettings({
      READ_MODEL: "",
      REPLICAS: "",
    });
    expect({ firstPort, readModel, replicas, relay, projects, leafLifetimeMs }).toEqual({
      firstPort: 4_040,
      readModel: "embedded",
      replicas: undefined,
      relay: "on",
      projects: ["demo", "second"],
      leafLifetimeMs: 86_400_000,
    });
  });

  test("that are wrong are all named at once", () => {
    const wrong = {
      ORRERY_PORT: "80",
      READ_MODEL: "solr",
      REPLICAS: "0",
      RELAY: "no",
      PROJECTS: "a/../b",
      ORRERY_LEAF_TTL: "5",
      OBSERVE: "yes",
      ORRERY_SCRAPE_INTERVAL: "10ms",
    };
    const read = () => readSettings(wrong);
    for (const name of Object.keys(wrong)) expect(read).toThrow(name);
  });

  test("of services are handed through, and nothing else of the environment is", () => {
    const { handedThrough } = readSettings({
      ORRERY_RATE_LIMIT: "100/1s",
      AWS_SECRET: "x",
      ORRERY_DATABASE_NAME: "y",
    });
    expect(handedThrough).toEqual({ ORRERY_RATE_LIMIT: "100/1s" });
  });
});
