import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Platform } from "../../dev/testing/platform.ts";
import { Journal } from "../src/journal.ts";
import { killUnderLoad, TARGETS } from "../src/kill.ts";
import { settled, verify } from "../src/verify.ts";

/** The small sister of `make chaos`: every process is killed once, under a load that CI can carry. */
describe("a process killed with -9", () => {
  let platform: Platform;
  let journal: Journal;
  beforeAll(async () => {
    platform = await Platform.start({ ORRERY_WORKER_SLOTS: "100" });
    journal = new Journal(platform, "ci");
  }, 240_000);
  afterAll(async () => platform[Symbol.asyncDispose](), 90_000);

  test.each(TARGETS)(
    "%s comes back by itself",
    async (target) => {
      const hit = await killUnderLoad(platform, journal, target, {
        atLeast: 20,
        running: 30,
        around: 40,
      });
      expect(hit.submitsInFlight).toBeGreaterThanOrEqual(20);
    },
    120_000,
  );

  test("costs no accepted job, doubles none, and leaves store and read model equal", async () => {
    await settled(platform, journal, 90_000);
    const sound = { lost: 0, doubled: 0, notEnded: 0, histories: 0, attempts: 0, readModel: 0 };
    // Events may have come out of order after the broker's death: a job by its version is shown once it is whole.
    const findings = await verify(platform, journal, "ci");
    expect(findings.wrong).toEqual(sound);
    expect(findings.succeeded).toBe(journal.entries.length);
  }, 180_000);
});
