/**
 * `make chaos SEED=n`: 2,000 jobs under load while each process in turn is killed with -9, and then the question
 * whether anything was lost, doubled, left open or shown wrongly. Exits non-zero when it was.
 */
import { Platform } from "../../dev/testing/platform.ts";
import { holdRelay } from "./held-relay.ts";
import { Journal } from "./journal.ts";
import { killUnderLoad, TARGETS, type Target } from "./kill.ts";
import { duplicates, outboxPublished, settled, verify } from "./verify.ts";
import { lateCompletion } from "./zombie.ts";

const JOBS = 2_000;
const seed = Number(process.env.SEED || 1);
const run = `run${seed}`;
const print = (line: string) => process.stdout.write(`${line}\n`);

/** The targets in an order that the seed decides (a linear congruential shuffle: replayable, nothing more). */
function order(): readonly Target[] {
  let state = seed;
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  return [...TARGETS]
    .map((target) => ({ target, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ target }) => target);
}

/** How many events were published twice and recognised by jobs processes that are gone: a successor counts anew. */
let recognised = 0;

async function duplicated(): Promise<number> {
  await outboxPublished(platform);
  return recognised + (await duplicates(platform));
}

async function kill(target: Target): Promise<void> {
  await using scope = new AsyncDisposableStack();
  if (target === "jobs") {
    recognised += await duplicates(platform);
    // So that the kill finds events which the broker has, and the outbox does not know it.
    scope.use(await holdRelay(platform, () => journal.submit(20, { task: "orrery.echo" })));
  }
  const work = { atLeast: 100, running: 150, around: 160 };
  const hit = await killUnderLoad(platform, journal, target, work);
  print(
    `killed ${target.padEnd(11)} with ${hit.leasesOpen} leases open and ${hit.submitsInFlight} submits in flight; ` +
      `its successor was up after ${hit.backMs} ms; repeated ${hit.repeated} times`,
  );
}

await using platform = await Platform.start({ ORRERY_WORKER_SLOTS: "400" });
print(`chaos: seed ${seed}, at least ${JOBS} jobs, kills: ${order().join(", ")}`);
const journal = new Journal(platform, run);
const zombie = lateCompletion(platform, run);
for (const target of order()) await kill(target);
const refusal = await zombie;
const repeats = await duplicated();
const rest = JOBS - journal.entries.length;
if (rest > 0) await journal.submit(rest, { task: "orrery.echo" });
await settled(platform, journal, 120_000);
const findings = await verify(platform, journal, run);
print(`jobs ${findings.jobs}, succeeded ${findings.succeeded}, stored answers replayed ${journal.replays}`);
print(`attempts LOST ${findings.attemptsLost}, stale completion refused with ${refusal}`);
print(`duplicate publishes recognised ${repeats}`);
print(
  `wrong: ${Object.entries(findings.wrong)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ")}`,
);
const exercised = findings.attemptsLost > 0 && refusal === "LEASE_LOST" && repeats > 0;
const sound =
  Object.values(findings.wrong).every((count) => count === 0) && findings.succeeded === findings.jobs;
print(sound ? "nothing was lost, doubled or shown wrongly" : "NOT SOUND");
if (!exercised)
  print("NOT EXERCISED: the run showed no lost attempt, no stale completion or no duplicate publish");
process.exitCode = sound && exercised ? 0 : 1;
