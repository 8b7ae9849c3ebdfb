/**
 * `make missions SEED=n`: 500 missions of five steps, a failure planted at every step in turn, while orchestrator,
 * jobs and worker are killed with -9 again and again. Prints how they ended as a table. Exits non-zero when one broke a
 * rule.
 */
import { Platform } from "../../dev/testing/platform.ts";
import { startSink } from "./effect-sink.ts";
import {
  type Findings,
  killDuring,
  launchMissions,
  MISSION_TARGETS,
  missionsEnded,
  STEPS,
  verifyMissions,
} from "./mission-run.ts";

const MISSIONS = Number(process.env.MISSIONS || 500);
const KILLS = 18;
const seed = Number(process.env.SEED || 1);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

let state = seed;
/** A linear congruential generator: replayable, nothing more. */
function draw(): number {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
  return state / 2 ** 31;
}

await using sink = await startSink();
await using platform = await Platform.start({ ORRERY_HTTP_ALLOW: sink.address, ORRERY_WORKER_SLOTS: "50" });
print(
  `missions: seed ${seed}, ${MISSIONS} missions of ${STEPS.length} steps, kills of ${MISSION_TARGETS.join(", ")}`,
);
const began = performance.now();
const launching = launchMissions(platform, sink, { name: `run${seed}`, missions: MISSIONS });
const work = launching.then((launched) => missionsEnded(platform, launched));
const killed = await killDuring({ platform, sink }, draw, { kills: KILLS, work });
const findings = await verifyMissions(platform, sink, await launching);
print(`ended after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
const kills = [...killed].map(([target, times]) => `${target} ${times}`).join(", ");
print(`killed: ${kills}; effects asked for again: ${sink.repeats}\n`);

const COLUMNS = {
  missions: "missions",
  undoJobs: "undo jobs",
  effects: "effects",
  settled: "settled",
  wrongEnds: "wrong ends",
  wrongUndos: "undo not SUCCEEDED",
  wrongOrder: "wrong order",
  forwardAfterTurn: "forward after turn",
  doubleEffects: "doubled",
  missingEffects: "missing",
  gaps: "gaps",
} as const satisfies Record<keyof Findings, string>;
const columns = Object.entries(COLUMNS) as [keyof Findings, string][];
print(["failure at".padEnd(10), ...columns.map(([, title]) => title)].join("  "));
for (const [place, row] of [...findings].sort(([a], [b]) => a - b)) {
  const cells = columns.map(([name, title]) => String(row[name]).padStart(title.length));
  print([(STEPS[place] ?? "none").padEnd(10), ...cells].join("  "));
}
const figures: readonly (keyof Findings)[] = ["missions", "undoJobs", "effects", "settled"];
const wrong = [...findings.values()].flatMap((row) =>
  columns.flatMap(([name]) => (figures.includes(name) ? [] : [row[name]])),
);
const sound = wrong.every((count) => count === 0);
print(sound ? "\nevery mission ended as its rules say" : "\nNOT SOUND");
if (sink.repeats === 0) print("NOT EXERCISED: no effect was asked for twice, so no kill hit a step at work");
process.exitCode = sound && sink.repeats > 0 ? 0 : 1;
