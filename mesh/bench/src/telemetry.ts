/**
 * `make bench ONLY=telemetry`: what it costs to be observed. Two platforms, the one with everything that tells of it
 * and the one with nothing, measured in turn; the one whose turn it is not has nothing to do. About four minutes.
 */
import { until } from "../../chassis/src/testing/until.ts";
import { Platform } from "../../dev/testing/platform.ts";
import { type CpuLedger, readLedger, total, used } from "./cpu-ledger.ts";
import { median } from "./measure.ts";
import { OrreryCase } from "./orrery.ts";
import { ASKING } from "./platform-metrics.ts";

const ROUNDS = 7;
const JOBS = 10_000;
const TRIES = 5;
const SUBMITTED_ONE_BY_ONE_SECONDS = 3;
const CALLERS = 50;
const LIMIT = 0.1;
/** Prometheus scrapes every process and evaluates every rule, spans are made, sent and kept, requests are logged. */
const ON = { OBSERVE: "1" };
const OFF = { ORRERY_OTLP_URL: "off", ORRERY_METRICS: "off", ORRERY_LOG_LEVEL: "error" };
const CASES = ["submit one by one, 50 callers", "submit 1,000 at a time", "drain"] as const;
type Case = (typeof CASES)[number];

interface Side {
  readonly platform: Platform;
  readonly orrery: OrreryCase;
  /** Jobs that were brought to an end so far. */
  drained: number;
}

interface Round {
  readonly rates: ReadonlyMap<Case, number>;
  /** In microseconds, for each job of the round. */
  readonly cpu: CpuLedger;
}

/** Measures both in turn. @param port - where the first one's edge listens; the second one 20 further on */
export async function benchTelemetry(print: (line: string) => void, port = 4760): Promise<void> {
  await using observed = await Platform.start({ ...ON, ORRERY_PORT: String(port) });
  // One that is held would not hear that it is to stop.
  using _watchers = { [Symbol.dispose]: () => signalWatchers(observed, "SIGCONT") };
  await using silent = await Platform.start({ ...OFF, ORRERY_PORT: String(port + 20) });
  const on: Side = { platform: observed, orrery: new OrreryCase(observed), drained: 0 };
  const off: Side = { platform: silent, orrery: new OrreryCase(silent), drained: 0 };
  print(`${ROUNDS} rounds in turn, ${JOBS} jobs each, everything running; medians of the rounds' ratios`);
  await pair(on, off, 0);
  const rounds: Pair[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) rounds.push(await pair(on, off, round));
  const worst = Math.max(...CASES.map((name) => costOf(name, rounds, print)));
  printCpu(rounds, print);
  print(
    `telemetry costs at most ${percent(worst)} of throughput: ${worst <= LIMIT ? "within" : "OVER"} ${percent(LIMIT)}`,
  );
}

/** Prints what one case comes to. @returns the part of its throughput that telemetry costs: the middle of all rounds */
function costOf(name: Case, rounds: readonly Pair[], print: (line: string) => void): number {
  const rates = (side: keyof Pair) => rounds.map((both) => both[side].rates.get(name) ?? Number.NaN);
  const off = rates("off");
  const costs = rates("on").map((rate, round) => 1 - rate / (off[round] ?? Number.NaN));
  const reached = `on ${figure(median(rates("on")))}/s, off ${figure(median(off))}/s`;
  const spread = `${percent(Math.min(...costs))} to ${percent(Math.max(...costs))}`;
  print(`${name.padEnd(30)} ${reached}: ${percent(median(costs))} less with telemetry [${spread}]`);
  return median(costs);
}

/** What a job costs each process. What watches belongs to the observed side; other work on the machine to none. */
function printCpu(rounds: readonly Pair[], print: (line: string) => void): void {
  const row = (title: string, of: (ledger: CpuLedger) => number): void => {
    const [on, off] = [
      median(rounds.map((both) => of(both.on.cpu))),
      median(rounds.map((both) => of(both.off.cpu))),
    ];
    print(`${title.padEnd(30)} ${figure(on).padStart(6)} ${figure(off).padStart(6)}`);
  };
  print(`${"CPU µs a job".padEnd(30)} ${"on".padStart(6)} ${"off".padStart(6)}`);
  for (const name of rounds[0]?.on.cpu.keys() ?? []) row(name, (ledger) => ledger.get(name) ?? 0);
  const more = median(rounds.map((both) => total(both.on.cpu) / total(both.off.cpu))) - 1;
  row("all", total);
  print(`${percent(more)} more processor time with telemetry`);
}

interface Pair {
  readonly on: Round;
  readonly off: Round;
}

/** One round of each, the first of them in turn. */
async function pair(on: Side, off: Side, round: number): Promise<Pair> {
  const first = round % 2 === 0 ? await observedRound(on, round) : undefined;
  const silentRound = await undisturbed(off, round);
  return { on: first ?? (await observedRound(on, round)), off: silentRound };
}

/** What watches the one platform rests while it is the other one's turn. */
async function observedRound(side: Side, round: number): Promise<Round> {
  signalWatchers(side.platform, "SIGCONT");
  try {
    return await undisturbed(side, round);
  } finally {
    signalWatchers(side.platform, "SIGSTOP");
  }
}

function signalWatchers({ run }: Platform, signal: "SIGSTOP" | "SIGCONT"): void {
  for (const watcher of [run.prometheus, run.alertmanager]) {
    if (watcher !== null) process.kill(watcher.pid, signal);
  }
}

/** Begins a round anew where a request was refused: on a machine that is busy with other things some come too late. */
async function undisturbed(side: Side, round: number): Promise<Round> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await measured(side, `telemetry-${round}-${tries}`);
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

async function measured(side: Side, queue: string): Promise<Round> {
  const { platform, orrery } = side;
  const before = readLedger(platform.run);
  const oneByOne = await orrery.submit(CALLERS, SUBMITTED_ONE_BY_ONE_SECONDS);
  const bulk = await orrery.bulk(JOBS, queue);
  const drain = await orrery.drain(JOBS, queue);
  side.drained += JOBS;
  await until("everything is projected", async () => (await projected(platform)) >= side.drained, ASKING);
  const jobs = JOBS + oneByOne * SUBMITTED_ONE_BY_ONE_SECONDS;
  const spent = used(before, readLedger(platform.run));
  const cpu = new Map([...spent].map(([name, micros]) => [name, micros / jobs]));
  return {
    rates: new Map([oneByOne, bulk, drain].map((rate, index) => [CASES[index] ?? "drain", rate])),
    cpu,
  };
}

/** Jobs that succeeded as the read model has it: it says so without its metrics. */
async function projected(platform: Platform): Promise<number> {
  const { body } = await platform.send("GET", "/v1/overview");
  return (body.jobs as Record<string, number>).SUCCEEDED ?? 0;
}

const figure = (value: number): string => Math.round(value).toLocaleString("en");
const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
