/**
 * `make bench ONLY=missions`: missions of five steps that do nothing, and what a job costs each process when it is a
 * job of its own and when it is a step of a mission. About two minutes.
 */
import { until } from "../../chassis/src/testing/until.ts";
import { Platform } from "../../dev/testing/platform.ts";
import { runBenchWorker } from "./bench-worker.ts";
import { type CpuLedger, readLedger, total, used } from "./cpu-ledger.ts";
import { HttpLoad, type Shot } from "./http-load.ts";
import { median, perSecond } from "./measure.ts";
import { ASKING, metricSum, untilSettled } from "./platform-metrics.ts";

const TASK = "bench.noop";
const QUEUE = "bench-missions";
const STEPS = 5;
const MISSIONS = 400;
const JOBS = MISSIONS * STEPS;
const IN_FLIGHT = 1_000;
const CALLERS = 8;
const ROUNDS = 3;
const TRIES = 10;
const PLAN = {
  name: "bench",
  steps: Array.from({ length: STEPS }, (_, index) => ({
    name: `step-${index + 1}`,
    task: TASK,
    queue: QUEUE,
    noUndo: true,
  })),
};
const WAYS = ["one by one", "1,000 at a time", "as steps"] as const;
type Way = (typeof WAYS)[number];

/** Measures missions on a platform of its own. @param port - where its edge listens */
export async function benchMissions(print: (line: string) => void, port = 4760): Promise<void> {
  await using platform = await Platform.start({ ORRERY_PORT: String(port) });
  await using _worker = await runBenchWorker({
    run: platform.run,
    task: TASK,
    queue: QUEUE,
    onLease: () => {},
  });
  const load = new HttpLoad(CALLERS);
  const bench = new MissionsBench(platform, load);
  try {
    print(`missions of ${STEPS} steps that do nothing, launched by ${CALLERS} callers; ${ROUNDS} rounds`);
    await bench.warmUp();
    const costs = new Map<Way, CpuLedger[]>(WAYS.map((way) => [way, []]));
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const way of WAYS) {
        const { ledger, seconds } = await bench.measured(way);
        costs.get(way)?.push(ledger);
        if (way === "as steps") rates.push(MISSIONS / seconds);
      }
    }
    print(`launched and run to their end: ${figure(median(rates))} missions/s [${spread(rates)}]`);
    print(await bench.allInFlight());
    print("");
    for (const line of costTable(costs)) print(line);
  } finally {
    load.close();
  }
}

class MissionsBench {
  readonly #platform: Platform;
  readonly #load: HttpLoad;

  constructor(platform: Platform, load: HttpLoad) {
    this.#platform = platform;
    this.#load = load;
  }

  async warmUp(): Promise<void> {
    for (const way of WAYS) await this.measured(way);
  }

  /** Brings jobs to their end, and everything that follows from it. @returns what it cost, in µs a job */
  async measured(way: Way): Promise<{ readonly ledger: CpuLedger; readonly seconds: number }> {
    const { run } = this.#platform;
    const before = readLedger(run);
    const ended = await this.#ended(way === "as steps");
    const began = performance.now();
    if (way === "as steps") await this.#post("/v1/missions", MISSIONS, PLAN);
    else if (way === "one by one") await this.#post("/v1/jobs", JOBS, { task: TASK, queue: QUEUE });
    else await this.#post("/v1/jobs:batchSubmit", JOBS / 1_000, { jobs: thousand() });
    const wanted = ended + (way === "as steps" ? MISSIONS : JOBS);
    await until("everything ended", async () => (await this.#ended(way === "as steps")) >= wanted, ASKING);
    const seconds = (performance.now() - began) / 1_000;
    await untilSettled(this.#platform);
    const ledger = used(before, readLedger(run));
    return { ledger: new Map([...ledger].map(([name, cost]) => [name, cost / JOBS])), seconds };
  }

  /** Holds the first step of every mission until all have begun, lets go, and waits for their ends. */
  async allInFlight(): Promise<string> {
    const ended = await this.#ended(true);
    await this.#platform.send("POST", `/v1/queues/${QUEUE}:pause`, { body: {} });
    await this.#post("/v1/missions", IN_FLIGHT, PLAN);
    const running = () =>
      metricSum(this.#platform, "orchestrator", "orrery_missions_open", 'status="RUNNING"');
    await until("all missions run", async () => (await running()) >= IN_FLIGHT, ASKING);
    const inFlight = await running();
    const began = performance.now();
    await this.#platform.send("POST", `/v1/queues/${QUEUE}:resume`, { body: {} });
    await until("all missions ended", async () => (await this.#ended(true)) >= ended + IN_FLIGHT, ASKING);
    const seconds = (performance.now() - began) / 1_000;
    await untilSettled(this.#platform);
    const after = `${seconds.toFixed(1)} s after they were let go`;
    return `${figure(inFlight)} missions in flight at once: all SUCCEEDED ${after}`;
  }

  /** How many missions, or jobs, have succeeded so far. */
  #ended(missions: boolean): Promise<number> {
    const [service, name] = missions
      ? ["orchestrator", "orrery_missions_finished_total"]
      : ["jobs", "orrery_jobs_finished_total"];
    return metricSum(this.#platform, service ?? "", name ?? "", 'status="SUCCEEDED"');
  }

  async #post(path: string, times: number, body: unknown): Promise<void> {
    const { run } = this.#platform;
    const shot = { url: `${run.edge}${path}`, key: this.#platform.key(), body: JSON.stringify(body) };
    await perSecond(times, CALLERS, () => this.#postOnce(shot));
  }

  /** On a machine that is busy with other things a request may come too late: what the platform says then is obeyed. */
  async #postOnce(shot: Shot): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#load.post(shot);
        return;
      } catch (error) {
        if (tries === TRIES || !String(error).includes("503")) throw error;
        await new Promise((done) => setTimeout(done, 1_000));
      }
    }
  }
}

const thousand = () => Array.from({ length: 1_000 }, () => ({ task: TASK, queue: QUEUE }));

/** What a job costs each process: medians, in microseconds of processor time. */
function costTable(costs: ReadonlyMap<Way, readonly CpuLedger[]>): readonly string[] {
  const names = [...(costs.get("as steps")?.[0]?.keys() ?? [])];
  const cost = (way: Way, of: (ledger: CpuLedger) => number) => median((costs.get(way) ?? []).map(of));
  const row = (title: string, of: (ledger: CpuLedger) => number) =>
    [title.padEnd(14), ...WAYS.map((way) => figure(cost(way, of)).padStart(way.length + 2))].join("");
  const share = median(
    (costs.get("as steps") ?? []).map((ledger) => (ledger.get("orchestrator") ?? 0) / total(ledger)),
  );
  return [
    ["CPU µs a job".padEnd(14), ...WAYS.map((way) => `  ${way}`)].join(""),
    ...names.map((name) => row(name, (ledger) => ledger.get(name) ?? 0)),
    row("all", total),
    `the orchestrator's share of what a step's job costs: ${(100 * share).toFixed(0)} %`,
  ];
}

const spread = (values: readonly number[]): string =>
  `${figure(Math.min(...values))} to ${figure(Math.max(...values))}`;

const figure = (value: number): string => Math.round(value).toLocaleString("en");
