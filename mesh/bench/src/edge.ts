/**
 * `make bench ONLY=edge`: the transcoder and the whole edge, nobody behind them, beside fastify with the same messages,
 * and what the transcoder adds to Node's own server. About two minutes. The servers are measured in turn, round by
 * round; processor time is theirs alone, so that a busy machine blurs it less than the rates.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { BINARY_CACHE } from "../../dev/src/places.ts";
import { loadFastify } from "./fastify.ts";
import { loadClient, postsPerSecond } from "./http-load.ts";
import { median } from "./measure.ts";
import { PAYLOAD } from "./payload.ts";

const KINDS = {
  fastify: "fastify, fromJson and toJson",
  transcoder: "the transcoder on node:http",
  edge: "the whole edge",
  hand: "node:http by hand, fromJson and toJson",
  plain: "node:http and JSON.parse",
} as const;
type Kind = keyof typeof KINDS;

// Short and many: what else runs on the machine comes and goes, and is to weigh on both sides of a round alike.
const ROUNDS = 15;
const SECONDS = 1;
const CONNECTIONS = 64;
const SECRET = "orr_bench";
const BODY = JSON.stringify({ task: "bench.noop", queue: "idle", input: PAYLOAD });
/** What the project wants of itself. */
const WANTED = { transcoder: 0.8, edge: 0.5, addedMicros: 25 } as const;

interface Sample {
  readonly perSecond: number;
  /** Microseconds of processor time a request, of all threads of the server. */
  readonly cpuMicros: number;
}

/** Measures every kind of server in turn, and prints rates, ratios and what the transcoder adds. */
export async function benchEdge(print: (line: string) => void): Promise<void> {
  const peers = join(BINARY_CACHE, "peers");
  await loadFastify(peers);
  await using scope = new AsyncDisposableStack();
  const servers = new Map<Kind, BenchServer>();
  for (const kind of Object.keys(KINDS) as Kind[])
    servers.set(kind, scope.use(await BenchServer.start(kind, peers)));
  const client = await loadClient(print);
  print(`${ROUNDS} rounds in turn, ${CONNECTIONS} connections of ${client}, a body of ${BODY.length} bytes`);
  await sameAnswers(servers);
  for (let warming = 0; warming < 3; warming += 1)
    for (const server of servers.values()) await server.sample();
  const samples = new Map<Kind, Sample[]>([...servers.keys()].map((kind) => [kind, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [kind, server] of servers) samples.get(kind)?.push(await server.sample());
  }
  for (const line of report(samples)) print(line);
}

class BenchServer implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #url: string;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.#url = `http://127.0.0.1:${port}/v1/jobs`;
  }

  static async start(kind: Kind, peers: string): Promise<BenchServer> {
    const entry = fileURLToPath(new URL("./edge-server.ts", import.meta.url));
    const process = fork(entry, [kind, peers, SECRET]);
    const { port } = await new Promise<{ port: number }>((told, failed) => {
      process.once("message", told);
      process.once("exit", () => failed(new Error(`the server of ${kind} ended before it listened`)));
    });
    return new BenchServer(process, port);
  }

  async answer(): Promise<Record<string, unknown>> {
    const headers = { authorization: `Bearer ${SECRET}`, "content-type": "application/json" };
    const response = await fetch(this.#url, { method: "POST", headers, body: BODY });
    return (await response.json()) as Record<string, unknown>;
  }

  /** Loads the server for some seconds. */
  async sample(): Promise<Sample> {
    const before = await this.#cpuMicros();
    const perSecond = await postsPerSecond({ url: this.#url, key: SECRET, body: BODY }, CONNECTIONS, SECONDS);
    return { perSecond, cpuMicros: ((await this.#cpuMicros()) - before) / (perSecond * SECONDS) };
  }

  async #cpuMicros(): Promise<number> {
    this.#process.send("cpu");
    const [{ cpuMicros }] = (await once(this.#process, "message")) as [{ cpuMicros: number }];
    return cpuMicros;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.disconnect();
    await ended;
  }
}

/** A comparison of servers that do different work would be worth nothing. */
async function sameAnswers(servers: ReadonlyMap<Kind, BenchServer>): Promise<void> {
  const { createTime: _time, id: _id, ...expected } = (await servers.get("fastify")?.answer()) ?? {};
  for (const [kind, server] of servers) {
    const { createTime, id, ...rest } = await server.answer();
    if (kind !== "plain" && !(createTime && id && isDeepStrictEqual(rest, expected)))
      throw new Error(`${kind} answers ${JSON.stringify(rest)}, fastify ${JSON.stringify(expected)}`);
  }
}

/** Ratios are medians of the ratios of each round, so that what slows a whole round down weighs on neither side. */
function report(samples: ReadonlyMap<Kind, readonly Sample[]>): readonly string[] {
  const of = (kind: Kind): readonly Sample[] => samples.get(kind) ?? [];
  const share = (kind: Kind, value: (sample: Sample) => number) =>
    median(of(kind).map((sample, round) => value(sample) / value(of("fastify")[round] ?? sample)));
  const byRate = (kind: Kind) => share(kind, ({ perSecond }) => perSecond).toFixed(2);
  const byCpu = (kind: Kind) => share(kind, ({ cpuMicros }) => 1 / cpuMicros).toFixed(2);
  const cpuMicros = (kind: Kind) => median(of(kind).map((sample) => sample.cpuMicros));
  const rows = [...samples.keys()].map((kind) => [
    KINDS[kind],
    spread(of(kind).map(({ perSecond }) => perSecond)),
    byRate(kind),
    `${cpuMicros(kind).toFixed(1)} µs`,
    byCpu(kind),
  ]);
  const head = ["", "requests a second", "of fastify", "processor time a request", "of fastify"];
  const columns = [42, 28, 12, 26, 10];
  const lines = [head, ...rows].map((row) => row.map((cell, at) => cell.padEnd(columns[at] ?? 0)).join(""));
  const added = (kind: Kind) => (cpuMicros("transcoder") - cpuMicros(kind)).toFixed(1);
  const reaches = (kind: "transcoder" | "edge") =>
    `${byRate(kind)} of fastify, ${byCpu(kind)} by processor time (wanted: ${WANTED[kind]})`;
  return [
    ...["", ...lines.map((line) => line.trimEnd()), ""],
    `the transcoder reaches ${reaches("transcoder")}`,
    `the whole edge reaches ${reaches("edge")}`,
    `the transcoder adds ${added("plain")} µs to node:http with JSON.parse (wanted: at most ${WANTED.addedMicros}), ` +
      `${added("hand")} µs to the same with fromJson and toJson`,
  ];
}

function spread(values: readonly number[]): string {
  const figure = (value: number) => Math.round(value).toLocaleString("en");
  return `${figure(median(values))} [${figure(Math.min(...values))} to ${figure(Math.max(...values))}]`;
}
