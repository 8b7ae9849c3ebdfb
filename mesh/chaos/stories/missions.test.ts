import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Platform } from "../../dev/testing/platform.ts";
import { type EffectSink, startSink } from "../src/effect-sink.ts";
import { killDuring, launchMissions, missionsEnded, STEPS, verifyMissions } from "../src/mission-run.ts";

/** The small sister of `make missions`. */
const MISSIONS = 48;
let sink: EffectSink;
let platform: Platform;
beforeAll(async () => {
  sink = await startSink();
  platform = await Platform.start({ ORRERY_HTTP_ALLOW: sink.address, ORRERY_WORKER_SLOTS: "20" });
}, 240_000);
afterAll(async () => {
  await platform[Symbol.asyncDispose]();
  await sink[Symbol.asyncDispose]();
}, 90_000);

test("missions end as their rules say, whichever step fails, while their processes are killed with -9", async () => {
  const launching = launchMissions(platform, sink, { name: "ci", missions: MISSIONS });
  const work = launching.then((launched) => missionsEnded(platform, launched));
  await killDuring({ platform, sink }, () => 0.3, { kills: 6, work });
  const findings = await verifyMissions(platform, sink, await launching);
  expect(sink.repeats).toBeGreaterThan(0);
  expect(findings.size).toBe(STEPS.length + 1);
  for (const [
    place,
    { missions, undoJobs: _undoJobs, effects: _effects, settled: _settled, ...wrong },
  ] of findings) {
    expect([place, missions]).toEqual([place, MISSIONS / (STEPS.length + 1)]);
    expect([place, Object.entries(wrong).filter(([, count]) => count > 0)]).toEqual([place, []]);
  }
}, 240_000);
