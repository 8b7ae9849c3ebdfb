import { until } from "../../chassis/src/testing/until.ts";
import type { Json } from "../../dev/testing/json.ts";
import type { Platform } from "../../dev/testing/platform.ts";
import { readEvents } from "../../dev/testing/sse.ts";
import { eachOf } from "./each-of.ts";
import type { EffectSink } from "./effect-sink.ts";

/** The processes that a run of missions kills. */
export const MISSION_TARGETS = ["orchestrator", "jobs", "worker"] as const;
export type MissionTarget = (typeof MISSION_TARGETS)[number];

/** Steps of each mission; the failure is planted at each in turn, and in every sixth mission nowhere. */
export const STEPS = ["a", "b", "c", "d", "e"] as const;

/** One mission of a run. */
export interface Launched {
  readonly name: string;
  /** The place of the step that fails; 5 where none does. */
  readonly broken: number;
  readonly id: string;
}

/** What the missions with a failure at one place came to. Every figure but the first four has to be 0. */
export interface Findings {
  readonly missions: number;
  readonly undoJobs: number;
  readonly effects: number;
  /** Ended COMPENSATED although the first step failed: its failure was a loss, and its undoUnknown settled it. */
  readonly settled: number;
  readonly wrongEnds: number;
  readonly wrongUndos: number;
  readonly wrongOrder: number;
  readonly forwardAfterTurn: number;
  readonly doubleEffects: number;
  readonly missingEffects: number;
  readonly gaps: number;
}

const ENDS = new Set(["SUCCEEDED", "FAILED", "COMPENSATED", "CANCELLED"]);
const LIMIT_MS = 180_000;
const SOON = { withinMs: LIMIT_MS, everyMs: 20 };
const ENDED = { withinMs: LIMIT_MS, everyMs: 200 };

/** Launches missions, each under a key of its own until it is accepted. */
export function launchMissions(
  platform: Platform,
  sink: EffectSink,
  run: { readonly name: string; readonly missions: number },
): Promise<readonly Launched[]> {
  const numbers = Array.from({ length: run.missions }, (_, number) => number);
  return eachOf(numbers, async (number) => {
    const name = `${run.name}-${number}`;
    const broken = number % (STEPS.length + 1);
    const headers = { "idempotency-key": name };
    const body = {
      name,
      steps: STEPS.map((step, place) => stepOf(sink, `${name}/${step}`, { step, fails: place === broken })),
    };
    const answer = await platform.persist("POST", "/v1/missions", { headers, body });
    if (answer.status !== 202) throw new Error(`${name} was refused: ${JSON.stringify(answer.body)}`);
    return { name, broken, id: answer.body.id };
  });
}

function stepOf(sink: EffectSink, effect: string, { step, fails }: { step: string; fails: boolean }): object {
  const request = (name: string) => ({ url: `http://${sink.address}/${name}`, method: "POST" });
  const undo = { task: "orrery.http", input: request(`undo/${effect}`) };
  const planted = { task: "orrery.fail", input: { message: "planted", retryable: false } };
  const work = fails ? planted : { task: "orrery.http", input: request(`do/${effect}`) };
  // A worker that is killed in the middle leaves a step unknown: nothing has to be settled where nothing is done.
  return { name: step, ...work, undo, undoUnknown: { task: "orrery.echo" }, maxAttempts: 20 };
}

/** Kills processes with -9 in turn, at moments that are drawn, while a step has had its effect and no answer yet. */
export async function killDuring(
  { platform, sink }: { readonly platform: Platform; readonly sink: EffectSink },
  draw: () => number,
  run: { readonly kills: number; readonly work: Promise<unknown> },
): Promise<ReadonlyMap<MissionTarget, number>> {
  const killed = new Map<MissionTarget, number>();
  let over = false;
  const ended = run.work.finally(() => {
    over = true;
  });
  for (let kill = 0; kill < run.kills && !over; kill += 1) {
    const target = MISSION_TARGETS[kill % MISSION_TARGETS.length] ?? "orchestrator";
    await new Promise((done) => setTimeout(done, 100 + Math.floor(draw() * 1_000)));
    await until("a step at work", () => Promise.resolve(over || sink.atWork > 0), SOON);
    if (over) break;
    const pid = platform.pidOf(target);
    process.kill(pid, "SIGKILL");
    killed.set(target, (killed.get(target) ?? 0) + 1);
    await until(`${target} to be back`, () => Promise.resolve(platform.pidOf(target) !== pid), SOON);
  }
  await ended;
  return killed;
}

/** Waits until every mission has ended. */
export async function missionsEnded(platform: Platform, launched: readonly Launched[]): Promise<void> {
  await eachOf(launched, ({ id, name }) =>
    until(`${name} to end`, async () => ENDS.has((await missionOf(platform, id)).status), ENDED),
  );
}

/** Holds every mission against the rules, by the place of its failure. */
export async function verifyMissions(
  platform: Platform,
  sink: EffectSink,
  launched: readonly Launched[],
): Promise<ReadonlyMap<number, Findings>> {
  const found = await eachOf(launched, async (one) => ({
    broken: one.broken,
    findings: await examine(platform, sink, one),
  }));
  const byPlace = new Map<number, Findings>();
  for (const { broken, findings } of found) {
    const sum = byPlace.get(broken);
    byPlace.set(broken, sum === undefined ? findings : added(sum, findings));
  }
  return byPlace;
}

const added = (one: Findings, other: Findings): Findings =>
  Object.fromEntries(
    Object.entries(one).map(([name, value]) => [name, value + other[name as keyof Findings]]),
  ) as unknown as Findings;

async function examine(
  platform: Platform,
  sink: EffectSink,
  { id, name, broken }: Launched,
): Promise<Findings> {
  const mission = await missionOf(platform, id);
  const events = await eventsOf(platform, id);
  const done = STEPS.slice(0, broken);
  const steps: readonly Json[] = mission.steps;
  const firstUnknown = broken === 0 && steps[0].status === "UNDONE";
  const expected =
    broken === STEPS.length ? "SUCCEEDED" : broken === 0 && !firstUnknown ? "FAILED" : "COMPENSATED";
  const turned = events.findIndex(({ event }) => event === "MissionCompensationStarted");
  const undone = events.filter(({ event }) => event === "MissionStepUndone").map(({ step }) => step);
  const toUndo = broken === STEPS.length ? [] : [...done].reverse();
  const undoJobs = await eachOf(
    steps.filter(({ undoJobId }) => undoJobId !== ""),
    async ({ undoJobId }) => (await platform.persist("GET", `/v1/jobs/${undoJobId}`)).body.status as string,
  );
  const counts = done.flatMap((step) => [
    sink.effectsOf(`do/${name}/${step}`),
    ...(broken === STEPS.length ? [] : [sink.effectsOf(`undo/${name}/${step}`)]),
  ]);
  return {
    missions: 1,
    undoJobs: undoJobs.length,
    effects: counts.reduce((sum, count) => sum + count, 0),
    settled: firstUnknown ? 1 : 0,
    wrongEnds: mission.status === expected ? 0 : 1,
    wrongUndos: undoJobs.filter((status) => status !== "SUCCEEDED").length,
    // A failing step that was lost is settled first; what was done comes after it, the last one first.
    wrongOrder: undone.filter((step) => step !== STEPS[broken]).join() === toUndo.join() ? 0 : 1,
    forwardAfterTurn:
      turned < 0 ? 0 : events.slice(turned).filter(({ event }) => event === "MissionStepStarted").length,
    doubleEffects: counts.filter((count) => count > 1).length,
    missingEffects: counts.filter((count) => count < 1).length,
    gaps:
      events.filter(({ version }, index) => version !== index + 2).length +
      (events.length + 1 === mission.version ? 0 : 1),
  };
}

const missionOf = async (platform: Platform, id: string): Promise<Json> =>
  (await platform.persist("GET", `/v1/missions/${id}`)).body;

/** All events of an ended mission behind its first. */
async function eventsOf(platform: Platform, id: string) {
  const url = `${platform.run.edge}/v1/missions/${id}:watch`;
  const { frames } = await readEvents(url, { key: platform.key(), lastEventId: "1" });
  return frames.map((frame) => ({
    event: frame.event,
    version: Number(frame.id),
    step: String(frame.data.payload.step),
  }));
}
