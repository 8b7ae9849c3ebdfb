import type { Platform } from "../../dev/testing/platform.ts";

const SETTLED_WITHIN_MS = 180_000;
/** Gauges of the outbox and of consumers are read anew this often, and some more. */
const GAUGES_MS = 2_100;

/** The sum of a metric over its series, at the first replica of a service; only those series that have a label. */
export async function metricSum(
  platform: Platform,
  service: string,
  name: string,
  label = "",
): Promise<number> {
  const admin = platform.run.services[service]?.[0]?.admin;
  const { text } = await platform.admin(`${admin}/metrics`);
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const values = lines.filter((line) => line.includes(label));
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** Waits until everything is published and projected, at most three minutes. */
export async function untilSettled(platform: Platform): Promise<void> {
  const pending = async (): Promise<number> =>
    (await metricSum(platform, "jobs", "orrery_outbox_pending")) +
    (await metricSum(platform, "orchestrator", "orrery_outbox_pending"));
  const end = performance.now() + SETTLED_WITHIN_MS;
  while (performance.now() < end) {
    const behind = await metricSum(platform, "observatory", "orrery_consumer_lag");
    if ((await pending()) + behind === 0) {
      // The gauges may be from before the last of it: twice nothing is nothing.
      await pause(GAUGES_MS);
      if ((await pending()) === 0) return;
    }
    await pause(200);
  }
  throw new Error("events were not published and projected within 180 s");
}

/** A long wait for what a benchmark measures: a page of metrics takes a service milliseconds to write. */
export const ASKING = { withinMs: SETTLED_WITHIN_MS, everyMs: 250 };

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
