import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { alertmanagerConfig } from "./alertmanager-config.ts";
import { resolveBinary } from "./binaries/resolve.ts";
import { LogFile } from "./log-file.ts";
import { replaceFile } from "./owned-file.ts";
import { prometheusConfig, ruleFiles, scrapeTargets } from "./prometheus-config.ts";
import { isReady } from "./readiness.ts";
import type { Ground, Server } from "./servers.ts";
import { loopback, type Placed } from "./service-launch.ts";

/** What watches a platform: Prometheus scrapes every process and tells Alertmanager, which tells services/alerts. */
export interface Observers {
  readonly prometheus: Server;
  readonly alertmanager: Server;
}

/** What is watched, and how often. */
export interface Watched {
  readonly placed: readonly Placed[];
  readonly scrapeIntervalMs: number;
}

const RETENTION = { time: "2d", size: "512MB" };

/**
 * Plans both, with their configuration and data below `observe` in the home. Each reads its certificate anew at every
 * handshake, so a renewal needs no reload.
 *
 * @throws BinaryMissing that names the command to type
 */
export async function planObservers(ground: Ground, watched: Watched): Promise<Observers> {
  const alertmanager = await planAlertmanager(ground, watched);
  const prometheus = await planPrometheus(ground, watched, alertmanager.address);
  return { prometheus, alertmanager };
}

async function planAlertmanager(ground: Ground, { placed }: Watched): Promise<Server> {
  const { home, ports, identities, print } = ground;
  const folder = join(home, "observe");
  const config = join(folder, "alertmanager.yml");
  const listen = loopback(await ports.take());
  const receivers = placed.filter(({ workload }) => workload.name === "alerts");
  return observer({
    program: await resolveBinary("alertmanager", print),
    name: "alertmanager",
    home,
    listen,
    args: (dataDir) => [
      `--config.file=${config}`,
      `--storage.path=${dataDir}`,
      `--web.listen-address=${listen}`,
      "--cluster.listen-address=", // one alone
      "--log.level=warn",
    ],
    prepare: () => {
      const webhooks = receivers.map(
        ({ adminPort }) => `https://${loopback(adminPort)}/webhooks/alertmanager`,
      );
      replaceFile(config, alertmanagerConfig(webhooks, identities.paths("alertmanager")));
    },
  });
}

async function planPrometheus(ground: Ground, watched: Watched, alertmanagerUrl: string): Promise<Server> {
  const { home, ports, identities, print } = ground;
  const folder = join(home, "observe");
  const [config, targetsFile] = [join(folder, "prometheus.yml"), join(folder, "targets.json")];
  const listen = loopback(await ports.take());
  return observer({
    program: await resolveBinary("prometheus", print),
    name: "prometheus",
    home,
    listen,
    args: (dataDir) => [
      `--config.file=${config}`,
      `--storage.tsdb.path=${dataDir}`,
      `--storage.tsdb.retention.time=${RETENTION.time}`,
      `--storage.tsdb.retention.size=${RETENTION.size}`,
      `--web.listen-address=${listen}`,
      "--log.level=warn",
    ],
    prepare: () => {
      replaceFile(targetsFile, scrapeTargets(watched.placed));
      const { scrapeIntervalMs } = watched;
      const identity = identities.paths("prometheus");
      const rules = ruleFiles();
      replaceFile(
        config,
        prometheusConfig({ scrapeIntervalMs, identity, rules, targetsFile, alertmanagerUrl }),
      );
    },
  });
}

/** What both have in common: a folder, a log, and an address that says when they are ready. */
function observer(made: {
  readonly program: { readonly path: string; readonly version: string; readonly warning: string | undefined };
  readonly name: string;
  readonly home: string;
  readonly listen: string;
  readonly args: (dataDir: string) => readonly string[];
  readonly prepare: () => void;
}): Server {
  const { program, name, home, listen } = made;
  const dataDir = join(home, "observe", name);
  const address = `http://${listen}`;
  return {
    dataDir,
    address,
    version: program.version,
    warning: program.warning,
    ready: () => isReady(`${address}/-/ready`),
    command: {
      name,
      file: program.path,
      args: made.args(dataDir),
      env: { PATH: process.env.PATH ?? "" },
      cwd: "/",
      log: new LogFile(join(home, "logs", `${name}.log`)),
      prepare: () => {
        mkdirSync(dataDir, { recursive: true });
        made.prepare();
      },
    },
  };
}
