/**
 * Orrery beside graphile-worker, in one run on one machine, and the ratios. Absolute figures of a shared machine mean
 * little; the ratio of two that were measured in turn means something.
 *
 * Twice: with everything running, as a user has it, and with the relay stopped, which shows the engine alone. About six
 * minutes.
 */
import { join } from "node:path";
import pg from "pg";
import { BINARY_CACHE } from "../../dev/src/places.ts";
import { startTestBed } from "../../dev/src/test-bed.ts";
import { Platform } from "../../dev/testing/platform.ts";
import { GraphilePeer, loadGraphile } from "./graphile.ts";
import { loadClient } from "./http-load.ts";
import { describeMachine } from "./machine.ts";
import { OrreryCase } from "./orrery.ts";
import { ResultTable } from "./result-table.ts";

const ROUNDS = 3;
const JOBS = 20_000;
const PEER_SUBMISSIONS = 3_000;
const CALLERS = 50;
const SECONDS = 5;
/** V8 compiles what runs often: below some 50,000 submissions the gateway gets faster from round to round. */
const WARM_UP_SECONDS = 20;

/** What both sides are measured with. */
interface Bench {
  readonly graphile: GraphilePeer;
  readonly table: ResultTable;
  readonly print: (line: string) => void;
}

/** Measures both sides in turn, and prints medians and ratios. */
export async function benchPeers(print: (line: string) => void): Promise<void> {
  await using scope = new AsyncDisposableStack();
  const bed = scope.use(await startTestBed());
  const pgPool = scope.adopt(
    new pg.Pool({ connectionString: bed.environment.ORRERY_TEST_POSTGRES, max: 10 }),
    (pool) => pool.end(),
  );
  const graphile = new GraphilePeer(await loadGraphile(join(BINARY_CACHE, "peers")), pgPool);
  const bench = { graphile, table: new ResultTable("graphile-worker"), print };
  const client = await loadClient(print);
  print(await describeMachine(pgPool));
  print(`${ROUNDS} rounds in turn, ${JOBS} jobs, medians; single submissions come from ${client}`);
  await everythingRuns(bench);
  await relayStopped(bench);
  print("");
  for (const line of bench.table.lines()) print(line);
}

async function everythingRuns({ graphile, table, print }: Bench): Promise<void> {
  await using platform = await Platform.start({ ORRERY_PORT: "4740" });
  const orrery = new OrreryCase(platform);
  await warmUp(orrery, graphile);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const queue = `bench-${round}`;
    // Each side begins when the other has nothing left to do: what is submitted is published and projected as well.
    const rested = async <T>(theirs: () => Promise<T>): Promise<T> => {
      await orrery.settled();
      return theirs();
    };
    await table.pair("submit one by one, 50 callers", "/s", {
      ours: () => orrery.submit(CALLERS, SECONDS),
      theirs: () => rested(() => graphile.submit(PEER_SUBMISSIONS, CALLERS)),
    });
    await table.pair("submit 1,000 at a time", "/s", {
      ours: () => orrery.bulk(JOBS, queue),
      theirs: () => rested(() => graphile.bulk(JOBS)),
    });
    await table.pair("drain", "/s", {
      ours: () => orrery.drain(JOBS, queue),
      theirs: () => rested(() => graphile.drain(JOBS)),
    });
    await table.pair("submit, run and publish at once", "/s", {
      ours: () => orrery.pipeline(JOBS, `pipeline-${round}`),
    });
    await orrery.settled();
    const [own, peer] = [await orrery.latency(50, 300), await graphile.latency(50, 300)];
    table.note("submitted to started at 50/s, p50", "ms", own.p50, peer.p50);
    table.note("submitted to started at 50/s, p99", "ms", own.p99, peer.p99);
    print(`round ${round} of ${ROUNDS}, everything running: done`);
  }
}

async function relayStopped({ graphile, table, print }: Bench): Promise<void> {
  await using platform = await Platform.start({ ORRERY_PORT: "4740", RELAY: "off" });
  const orrery = new OrreryCase(platform);
  await warmUp(orrery, graphile);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const queue = `bench-${round}`;
    await table.pair("submit one by one, relay stopped", "/s", {
      ours: () => orrery.submit(CALLERS, SECONDS),
      theirs: () => graphile.submit(PEER_SUBMISSIONS, CALLERS),
    });
    await orrery.bulk(JOBS, queue);
    await graphile.bulk(JOBS);
    await table.pair("drain, relay stopped", "/s", {
      ours: () => orrery.drain(JOBS, queue),
      theirs: () => graphile.drain(JOBS),
    });
    print(`round ${round} of ${ROUNDS}, relay stopped: done`);
  }
}

/** Both sides run compiled code from the first round on: a service that has just started is half as fast. */
async function warmUp(orrery: OrreryCase, graphile: GraphilePeer): Promise<void> {
  await orrery.submit(CALLERS, WARM_UP_SECONDS);
  await orrery.bulk(JOBS, "warm-up");
  await orrery.drain(JOBS, "warm-up");
  await graphile.submit(PEER_SUBMISSIONS * (WARM_UP_SECONDS / SECONDS), CALLERS);
  await graphile.bulk(JOBS);
  await graphile.drain(JOBS);
}
