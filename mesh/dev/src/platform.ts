import { join } from "node:path";
import { SCHEMA_DIFFERS } from "../../chassis/src/postgres/schema-differs.ts";
import { eventually } from "../../chassis/src/testing/eventually.ts";
import { SERVERS, type Workload } from "../../topology.ts";
import { writeKeys } from "./api-keys.ts";
import { runProgram } from "./binaries/program.ts";
import { warmCompileCache } from "./compile-cache.ts";
import { FreePorts } from "./free-port.ts";
import { Identities } from "./identities.ts";
import { LaunchRecord } from "./launch-record.ts";
import { leafHolders } from "./leaf-holders.ts";
import type { LogFile } from "./log-file.ts";
import { type Observers, planObservers } from "./observers.ts";
import { makePassage, ROOT } from "./places.ts";
import { provision } from "./postgres-admin.ts";
import { isReady } from "./readiness.ts";
import { describeRun, type Running } from "./run-description.ts";
import { removeRunFile, writeRunFile } from "./run-file.ts";
import { type Ground, planElasticsearch, planNats, planPostgres, type Server } from "./servers.ts";
import {
  migrationCommand,
  type Placed,
  placeAll,
  type Surroundings,
  serviceCommand,
} from "./service-launch.ts";
import type { Settings } from "./settings.ts";
import { stopOrder } from "./stop-order.ts";
import { type ProcessEvents, SupervisedProcess } from "./supervised-process.ts";
import { buildWebPage } from "./web-page.ts";

const READY_WITHIN_MS = 170_000;
/** Deaths in a row before it answers, in 3 s of pauses and six starts: a setting is wrong, or a port taken. */
const HOPELESS_DEATHS = 6;
const LOG_LOOK_EVERY_MS = 5_000;
const BEGIN_ANEW =
  "this data was made by another version; beside it, with nothing in it: ORRERY_HOME=.orrery/anew make run";

/** What a platform is started with. */
export interface Launch {
  readonly settings: Settings;
  readonly workloads: readonly Workload[];
  /** Takes one line for the person at the terminal. */
  readonly print: (line: string) => void;
  /** Aborted when the platform is to stop, before it is ready too. */
  readonly signal: AbortSignal;
}

/** Something of the platform does not come up; the message has its last lines. */
export class StartFailed extends Error {}

/**
 * A whole platform in the hands of this process: its servers, its services, their certificates and keys.
 *
 * Start: the servers side by side, then the migrations, then all services side by side (each copes with peers
 * that come later). Stop: the edge first and the database last, so that what is under way finds what it
 * needs.
 */
export class Platform {
  readonly #launch: Launch;
  readonly #record: LaunchRecord;
  readonly #processes = new Map<string, SupervisedProcess>();
  readonly #pids = new Map<string, number>();
  readonly #answered = new Set<string>();
  readonly #reloadLater = new Set<string>();
  readonly #timers: NodeJS.Timeout[] = [];
  #running: Running | undefined;
  #stopping = false;

  private constructor(launch: Launch, record: LaunchRecord) {
    this.#launch = launch;
    this.#record = record;
  }

  /**
   * Starts a platform and resolves when everything answers; then `run.json` is there.
   *
   * @param began - gets the platform before anything is started: it can be killed from then on
   * @throws AlreadyRunning; BinaryMissing; StartFailed when something does not answer in time, or ends again
   * and again (what runs is stopped first)
   */
  static async start(
    launch: Launch,
    began: (platform: Platform) => void = () => undefined,
  ): Promise<Platform> {
    const { home } = launch.settings;
    makePassage(home);
    const { record, ended } = await LaunchRecord.claim(home);
    removeRunFile(home);
    if (ended.length > 0) launch.print(`ended what a launcher before had left: ${ended.join(", ")}`);
    const platform = new Platform(launch, record);
    began(platform);
    try {
      await platform.#start();
    } catch (error) {
      await platform.stop();
      throw error;
    }
    return platform;
  }

  /** Stops everything in order and gives the home free. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#running = undefined;
    for (const timer of this.#timers) clearInterval(timer);
    for (const group of stopOrder([...this.#processes.keys()])) {
      await Promise.all(group.map(async (name) => this.#processes.get(name)?.stop()));
    }
    removeRunFile(this.#launch.settings.home);
    this.#record.release();
  }

  /** The port of the first gateway, which the ready line names. */
  get firstHttpPort(): number | undefined {
    return this.#running?.placed.find(({ edge }) => edge)?.edge?.httpPort;
  }

  /** Kills all that still runs, at once: for a user who asks twice. */
  killAll(): void {
    for (const process of this.#processes.values()) process.kill();
  }

  async #start(): Promise<void> {
    const { settings, workloads } = this.#launch;
    const { home } = settings;
    const ports = new FreePorts(home);
    const placed = await placeAll(workloads, settings, ports);
    this.#sayMovedPorts(placed);
    const identities = await Identities.open({
      folder: join(home, "authority"),
      holders: leafHolders(home, workloads),
      lifetimeMs: settings.leafLifetimeMs,
    });
    this.#keepUp(identities); // from now on: a start may take longer than a short leaf lives
    const keys = writeKeys(home, settings.projects);
    const ground: Ground = { home, ports, identities, workloads, print: this.#launch.print };
    const { observe, scrapeIntervalMs } = settings;
    const observers = observe ? await planObservers(ground, { placed, scrapeIntervalMs }) : null;
    const [servers, webFolder] = await Promise.all([this.#startServers(ground), this.#webFolder()]);
    const surroundings: Surroundings = {
      settings,
      placed,
      postgresPort: servers.postgres.cluster.port,
      natsUrl: servers.nats.address,
      elasticsearchUrl: servers.elasticsearch?.address,
      alertmanagerUrl: observers?.alertmanager.address,
      keysFile: keys.keysFile,
      webFolder,
      identity: (name) => identities.paths(name),
    };
    const mains = workloads.map(({ folder, main }) => join(ROOT, folder, main));
    await Promise.all([this.#migrate(servers.postgres, surroundings), warmCompileCache(mains)]);
    await Promise.all([
      this.#answers(servers.nats),
      servers.elasticsearch && this.#answers(servers.elasticsearch),
      ...placed.map((one) => this.#startService(one, surroundings)),
    ]);
    if (observers) await this.#startObservers(observers);
    this.#running = { settings, workloads, placed, identities, projects: keys.projects, servers, observers };
    this.#writeRunFile();
    const readKey = Object.values(keys.projects)[0]?.readKeyFile;
    if (webFolder !== undefined)
      this.#launch.print(`the web page asks for a key; one that reads: ${readKey}`);
  }

  /** The page is served by the gateway: without one, nothing is built. */
  async #webFolder(): Promise<string | undefined> {
    const { workloads, print } = this.#launch;
    return workloads.some(({ ports }) => ports.http !== undefined) ? buildWebPage(print) : undefined;
  }

  async #startServers(ground: Ground): Promise<Running["servers"]> {
    const wantsElasticsearch = this.#launch.settings.readModel === "elasticsearch";
    const [postgres, nats, elasticsearch] = await Promise.all([
      planPostgres(ground),
      planNats(ground),
      wantsElasticsearch ? planElasticsearch(ground) : null,
    ]);
    for (const server of [postgres, nats, elasticsearch]) if (server) this.#run(server.command);
    return { postgres, nats, elasticsearch };
  }

  /** Last, so that their first look finds everything there. */
  async #startObservers({ alertmanager, prometheus }: Observers): Promise<void> {
    for (const { command } of [alertmanager, prometheus]) this.#run(command);
    await Promise.all([this.#answers(alertmanager), this.#answers(prometheus)]);
  }

  async #migrate(postgres: Running["servers"]["postgres"], surroundings: Surroundings): Promise<void> {
    await this.#answers(postgres);
    const databases = this.#launch.workloads.flatMap(({ database }) => database ?? []);
    await provision(
      postgres.cluster,
      databases.map(({ name, role, ownerRole }) => ({ database: name, role, owner: ownerRole })),
    );
    for (const one of surroundings.placed.filter(({ instance }) => instance.endsWith("-0"))) {
      const command = migrationCommand(one, surroundings);
      if (command === undefined) continue;
      const { ok, status, output } = await runProgram(command.file, command.args, {
        env: command.env,
        cwd: ROOT,
      });
      this.#launch.signal.throwIfAborted();
      if (ok) continue;
      const advice = status === SCHEMA_DIFFERS ? `\n${BEGIN_ANEW}` : "";
      throw new StartFailed(`the migrations of ${one.workload.name} failed:\n${output.trim()}${advice}`);
    }
  }

  async #startService(placed: Placed, surroundings: Surroundings): Promise<void> {
    const { instance, grpcPort, adminPort, edge } = placed;
    this.#run(serviceCommand(placed, surroundings));
    const address = edge
      ? `http://127.0.0.1:${edge.httpPort} grpc ${edge.grpcPort}`
      : `grpc 127.0.0.1:${grpcPort}`;
    await this.#untilReady(instance, async () => {
      await isReady(`https://127.0.0.1:${adminPort}/readyz`, surroundings.identity("operator"));
      if (edge) await isReady(`http://127.0.0.1:${edge.httpPort}/readyz`);
    });
    this.#say(instance, `${address} admin ${adminPort}`);
  }

  async #answers(server: Server): Promise<void> {
    const { command, address, version, warning, dataDir } = server;
    await this.#untilReady(command.name, () => server.ready());
    this.#answered.add(command.name);
    if (this.#reloadLater.delete(command.name)) this.#reload(command.name);
    this.#say(command.name, `${address} version ${version}, data in ${dataDir}`);
    if (warning) this.#launch.print(`  ${warning}`);
  }

  async #untilReady(name: string, ready: () => Promise<void>): Promise<void> {
    const { signal } = this.#launch;
    const deaths = () => this.#processes.get(name)?.deathsInARow ?? 0;
    const over = () => this.#stopping || signal.aborted;
    // Asked again while there is hope that it comes up, and somebody who waits for it.
    const answers = async (): Promise<boolean> => {
      if (over()) return false;
      try {
        await ready();
        return true;
      } catch (failure) {
        if (deaths() < HOPELESS_DEATHS && !over()) throw failure;
        return false;
      }
    };
    const startFailed = (why: string) => {
      const last = this.#processes.get(name)?.command.log.lastLines(10).join("\n  ") ?? "";
      return new StartFailed(`${name} ${why}; its last lines:\n  ${last}`);
    };
    let answered: boolean;
    try {
      answered = await eventually(answers, { withinMs: READY_WITHIN_MS, everyMs: 50 });
    } catch (error) {
      throw startFailed(`did not answer within ${READY_WITHIN_MS / 1_000} s (${String(error)})`);
    }
    signal.throwIfAborted();
    if (!answered) throw startFailed(`ended ${deaths()} times before it answered`);
  }

  #run(command: ConstructorParameters<typeof SupervisedProcess>[0]): void {
    this.#launch.signal.throwIfAborted();
    const process = new SupervisedProcess(command, this.#events);
    this.#processes.set(command.name, process);
    process.start();
  }

  readonly #events: ProcessEvents = {
    started: ({ name, pid }) => {
      this.#record.note(name, pid);
      if (pid === undefined) return;
      const before = this.#pids.get(name);
      this.#pids.set(name, pid);
      if (before !== undefined) this.#say(name, "started again");
      this.#writeRunFile();
    },
    died: ({ name, command: { log } }, how, againInMs) => {
      const when = againInMs === 0 ? "at once" : `in ${againInMs} ms`;
      this.#launch.print(`${name} ended by itself (${how}); it starts again ${when}; its log: ${log.path}`);
      // A process that dies again and again says the same each time; one that was killed had no time to say why.
      if (againInMs === 0 && how !== "SIGKILL")
        for (const line of lastWords(log)) this.#launch.print(`  ${line.slice(0, 300)}`);
    },
  };

  #writeRunFile(): void {
    if (this.#running === undefined) return;
    writeRunFile(this.#launch.settings.home, describeRun(this.#running, this.#pids));
  }

  /**
   * Renews leaves, has the servers that read theirs only when told read them again, and keeps the logs
   * bounded.
   */
  #keepUp(identities: Identities): void {
    const renew = async () => {
      for (const name of await identities.renewDue()) {
        if (SERVERS.some((server) => server === name)) this.#reload(name);
      }
    };
    const complain = (error: unknown) =>
      this.#launch.print(`a certificate could not be renewed: ${String(error)}`);
    const boundLogs = () => {
      for (const { command } of this.#processes.values()) command.log.bound();
    };
    this.#timers.push(
      setInterval(() => void renew().catch(complain), identities.lookEveryMs),
      setInterval(boundLogs, LOG_LOOK_EVERY_MS),
    );
  }

  /** A server that does not answer yet may not know the signal yet, and would end by it: it is told later. */
  #reload(name: string): void {
    const pid = this.#processes.get(name)?.pid;
    if (!this.#answered.has(name)) this.#reloadLater.add(name);
    else if (pid !== undefined) process.kill(pid, "SIGHUP");
  }

  #say(name: string, text: string): void {
    this.#launch.print(`${name.padEnd(14)} pid ${String(this.#pids.get(name) ?? "?").padEnd(7)} ${text}`);
  }

  #sayMovedPorts(placed: readonly Placed[]): void {
    const { firstPort } = this.#launch.settings;
    placed
      .flatMap(({ edge }) => edge ?? [])
      .forEach(({ httpPort, grpcPort }, replica) => {
        const wanted = firstPort + 2 * replica;
        if (httpPort !== wanted) this.#launch.print(`port ${wanted} is taken: HTTP moves to ${httpPort}`);
        if (grpcPort !== wanted + 1)
          this.#launch.print(`port ${wanted + 1} is taken: gRPC moves to ${grpcPort}`);
      });
  }
}

/** The last eight lines of a log without the frames of a stack, which would crowd out its message. */
const lastWords = (log: LogFile): readonly string[] =>
  log
    .lastLines(32)
    .filter((line) => !/^\s+at /.test(line))
    .slice(-8);
