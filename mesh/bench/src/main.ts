/**
 * `make bench`: Orrery beside graphile-worker, in one run on one machine, and the ratios. Absolute figures of a shared
 * machine mean little; the ratio of two that were measured in turn means something.
 */
import { join } from "node:path";
import pg from "pg";
import { BINARY_CACHE } from "../../dev/src/places.ts";
import { startTestBed } from "../../dev/src/test-bed.ts";
import { Platform } from "../../dev/testing/platform.ts";
import { GraphilePeer, loadGraphile } from "./graphile.ts";
import { median } from "./measure.ts";
import { OrreryCase } from "./orrery.ts";

const ROUNDS = 3;
const JOBS = 20_000;
const print = (line: string) => process.stdout.write(`${line}\n`);

interface Row {
  readonly name: string;
  readonly unit: string;
  readonly ours: number[];
  readonly theirs: number[];
}

const rows = new Map<string, Row>();

/** Takes one figure of each side; a side that has no such case gives nothing. */
async function pair(
  name: string,
  unit: string,
  ours: () => Promise<number>,
  theirs?: () => Promise<number>,
): Promise<void> {
  const row = rows.get(name) ?? { name, unit, ours: [], theirs: [] };
  rows.set(name, row);
  row.ours.push(await ours());
  if (theirs) row.theirs.push(await theirs());
}

await using bed = await startTestBed();
const pgPool = new pg.Pool({ connectionString: bed.environment.ORRERY_TEST_POSTGRES, max: 10 });
const graphile = new GraphilePeer(await loadGraphile(join(BINARY_CACHE, "peers")), pgPool);
await using platform = await Platform.start({ ORRERY_PORT: "4740" });
const orrery = new OrreryCase(platform);
print(`orrery and graphile-worker in turn, ${ROUNDS} rounds, ${JOBS} jobs, medians`);

for (let round = 0; round < ROUNDS; round += 1) {
  const queue = `bench-${round}`;
  await pair(
    "submit one by one, 50 callers",
    "/s",
    () => orrery.submit(50, 5),
    () => graphile.submit(3_000, 50),
  );
  await pair(
    "submit 1,000 at a time",
    "/s",
    () => orrery.bulk(JOBS, queue),
    () => graphile.bulk(JOBS),
  );
  await pair(
    "drain",
    "/s",
    () => orrery.drain(JOBS, queue),
    () => graphile.drain(JOBS),
  );
  await pair("whole pipeline at once", "/s", () => orrery.pipeline(JOBS, `pipeline-${round}`));
  const [own, peer] = [await orrery.latency(50, 300), await graphile.latency(50, 300)];
  await pair(
    "submit to started at 50/s, p50",
    "ms",
    async () => own.p50,
    async () => peer.p50,
  );
  await pair(
    "submit to started at 50/s, p99",
    "ms",
    async () => own.p99,
    async () => peer.p99,
  );
  print(`round ${round + 1} of ${ROUNDS} done`);
}
await pgPool.end();

for (const { name, unit, ours, theirs } of rows.values()) {
  const [mine, other] = [median(ours), theirs.length > 0 ? median(theirs) : undefined];
  const ratio =
    other === undefined
      ? ""
      : `  graphile-worker ${other.toFixed(1)} ${unit}  ratio ${(mine / other).toFixed(2)}`;
  print(`${name.padEnd(34)} orrery ${mine.toFixed(1)} ${unit}${ratio}`);
}
