import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Platform } from "../../dev/testing/platform.ts";
import { STEPS } from "../src/steps.ts";
import type { World } from "../src/world.ts";

/** Requirement O10, blocking: what `make gate` prints, as a test. Each step stands on the one before it. */
describe("the integration gate", () => {
  let world: World;
  beforeAll(async () => {
    const platform = await Platform.start({ READ_MODEL: "elasticsearch", OBSERVE: "1" });
    const prometheusUrl = platform.run.prometheus?.url ?? "";
    world = { platform, prometheusUrl, patienceMs: 150_000, jobId: "", succeededBefore: 0 };
  }, 240_000);
  afterAll(async () => world.platform[Symbol.asyncDispose](), 90_000);

  test("every step of the gate passes, in order", async () => {
    for (const step of STEPS)
      expect([step.name, await step.run(world)]).toEqual([step.name, expect.any(String)]);
  }, 600_000);
});
