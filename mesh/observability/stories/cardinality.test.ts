import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { Platform } from "../../dev/testing/platform.ts";
import { variedLoad } from "./varied-load.ts";

/** How many different names are sent; FULL=1 sends the hundred thousand that the project promises. */
const NAMES = process.env.FULL === "1" ? 100_000 : 5_000;
const BATCH = 500;
const SIDE_BY_SIDE = 40;
/** The bound of a label that users choose, and some more: what is above it has to be `_other` from here on. */
const WARM_UP = 300;

/** Names that users choose do not become series: 200 queues have some of their own, and no other free text has any. */
describe("a flood of names", () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await Platform.start();
  }, 300_000);
  afterAll(async () => platform?.[Symbol.asyncDispose](), 90_000);

  /** The platform's own series of each process, by name and labels, without their values. */
  const seriesByProcess = async (): Promise<ReadonlyMap<string, ReadonlySet<string>>> => {
    const found = new Map<string, ReadonlySet<string>>();
    for (const [service, replicas] of Object.entries(platform.run.services)) {
      for (const { admin } of replicas) {
        const { text } = await platform.admin(`${admin}/metrics`, "prometheus");
        const lines = text.split("\n").filter((line) => line.startsWith("orrery_"));
        found.set(`${service} ${admin}`, new Set(lines.map((line) => line.replace(/ \S+$/, ""))));
      }
    }
    return found;
  };
  const countOf = (found: ReadonlyMap<string, ReadonlySet<string>>): number =>
    [...found.values()].reduce((sum, series) => sum + series.size, 0);

  /** Jobs with a queue, task, label, key and id of their own each; requests for ids and routes that nobody knows. */
  const flood = async (from: number, to: number): Promise<void> => {
    const batches = Math.ceil((to - from) / BATCH);
    for (let batch = 0; batch < batches; batch += 1) {
      const first = from + batch * BATCH;
      const jobs = Array.from({ length: Math.min(BATCH, to - first) }, (_, index) => jobNamed(first + index));
      const { body } = await platform.send("POST", "/v1/jobs:batchSubmit", { body: { jobs } });
      expect(body.outcomes.filter((outcome: object) => !("job" in outcome))).toEqual([]);
    }
    let next = from;
    const askOn = async (): Promise<void> => {
      while (next < to) {
        const name = next++;
        await platform.send("GET", `/v1/jobs/${unknownId(name)}`);
        if (name % 2 === 0) await platform.send("GET", `/v1/route-${name}`);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, askOn));
  };

  test(`of ${NAMES} ids, queues, labels, tasks and routes leaves the number of series as it was`, async () => {
    await variedLoad(platform);
    await flood(0, WARM_UP);
    // The gauges of queues are read from the database every few seconds: until they show what is bounded.
    const before = await eventually(
      async () => {
        const found = await seriesByProcess();
        expect(
          [...found.values()].some((series) => [...series].some((one) => one.includes('"_other"'))),
        ).toBe(true);
        return found;
      },
      { withinMs: 120_000, everyMs: 1_000 },
    );
    await flood(WARM_UP, WARM_UP + NAMES);
    const after = await eventually(
      async () => {
        const found = await seriesByProcess();
        expect(await openJobs(platform)).toBeGreaterThanOrEqual(WARM_UP + NAMES);
        return found;
      },
      { withinMs: 120_000, everyMs: 1_000 },
    );
    const known = new Set([...before].flatMap(([process, series]) => named(process, series)));
    const grown = [...after].flatMap(([process, series]) => named(process, series));
    process.stdout.write(`series before ${countOf(before)}, after ${NAMES} names ${countOf(after)}\n`);
    expect(grown.filter((one) => !known.has(one))).toEqual([]);
    const flooded = [...after.values()].flatMap((series) => [...series].filter((one) => OWN_NAME.test(one)));
    expect(flooded.filter((one) => !one.startsWith("orrery_queue_"))).toEqual([]);
    const queues = [...after.values()].flatMap((series) =>
      [...series].filter((one) => one.startsWith("orrery_queue_oldest")),
    );
    expect(queues.length).toBeLessThanOrEqual(201);
  }, 1_800_000);
});

/** What only a flooded job or request is called. */
const OWN_NAME = /"[^"]*(name-|task\.|route-|01890000-)\d+[^"]*"/;

/**
 * The series of a process without how a call ended: that label is closed, and which of its values have occurred says
 * how busy the machine was, not what users called things.
 */
function named(process: string, series: ReadonlySet<string>): readonly string[] {
  const outcome = /,(code|status)="[A-Z0-9_]+"(?=[,}])/;
  return [...series].map(
    (one) => `${process}: ${one.includes("_duration_seconds") ? one.replace(outcome, "") : one}`,
  );
}

function jobNamed(name: number): object {
  const own = `name-${name}`;
  return {
    task: `task.${name}`,
    queue: own,
    labels: { [`k${name}`]: own },
    concurrencyKey: own,
    input: { name },
  };
}

const unknownId = (name: number): string => `01890000-0000-7000-8000-${name.toString(16).padStart(12, "0")}`;

/** The jobs that the gauges count, all queues together. */
async function openJobs(platform: Platform): Promise<number> {
  const { text } = await platform.admin(`${platform.run.services.jobs?.[0]?.admin}/metrics`, "prometheus");
  const depths = [...text.matchAll(/^orrery_queue_depth\{.*\} (\d+)$/gm)].map(([, value]) => Number(value));
  return depths.reduce((sum, value) => sum + value, 0);
}
