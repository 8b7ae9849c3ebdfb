import { CLIENTS, type Workload } from "../../topology.ts";
import type { ProjectKeys } from "./api-keys.ts";
import type { Identities } from "./identities.ts";
import type { Observers } from "./observers.ts";
import type { Cluster } from "./postgres-cluster.ts";
import type { RunFile, RunningService } from "./run-file.ts";
import type { Server } from "./servers.ts";
import { loopback, type Placed } from "./service-launch.ts";
import type { Settings } from "./settings.ts";

/** A platform that answers: everything that stays the same while its processes come and go. */
export interface Running {
  readonly settings: Settings;
  readonly workloads: readonly Workload[];
  readonly placed: readonly Placed[];
  readonly identities: Identities;
  readonly projects: Readonly<Record<string, ProjectKeys>>;
  readonly servers: {
    readonly postgres: Server & { readonly cluster: Cluster };
    readonly nats: Server;
    readonly elasticsearch: Server | null;
  };
  /** Null unless asked for. */
  readonly observers: Observers | null;
}

/** Describes a running platform with the process ids of the moment. */
export function describeRun(running: Running, pids: ReadonlyMap<string, number>): RunFile {
  const { placed, identities, projects, servers, observers } = running;
  const pidOf = (name: string) => pids.get(name) ?? 0;
  const edges = placed.flatMap(({ edge }) => edge ?? []);
  const { postgres, nats, elasticsearch } = servers;
  return {
    pid: process.pid,
    edge: `http://127.0.0.1:${edges[0]?.httpPort}`,
    edgeGrpc: `127.0.0.1:${edges[0]?.grpcPort}`,
    edges: edges.map(({ httpPort }) => `http://127.0.0.1:${httpPort}`),
    projects,
    caFile: identities.caFile,
    identities: Object.fromEntries(
      [...running.workloads, ...CLIENTS].map(({ name }) => {
        const { certFile, keyFile } = identities.paths(name);
        return [name, { certFile, keyFile }];
      }),
    ),
    services: servicesOf(placed, pidOf),
    postgres: {
      host: "127.0.0.1",
      port: postgres.cluster.port,
      pid: pidOf("postgres"),
      dataDir: postgres.dataDir,
    },
    nats: { url: nats.address, pid: pidOf("nats"), dataDir: nats.dataDir },
    elasticsearch: elasticsearch && {
      url: elasticsearch.address,
      pid: pidOf("elasticsearch"),
      dataDir: elasticsearch.dataDir,
    },
    prometheus: observers && { url: observers.prometheus.address, pid: pidOf("prometheus") },
    alertmanager: observers && { url: observers.alertmanager.address, pid: pidOf("alertmanager") },
  };
}

function servicesOf(
  placed: readonly Placed[],
  pidOf: (name: string) => number,
): Record<string, readonly RunningService[]> {
  const services: Record<string, RunningService[]> = {};
  for (const { workload, instance, grpcPort, adminPort, edge } of placed) {
    services[workload.name] ??= [];
    services[workload.name]?.push({
      pid: pidOf(instance),
      grpc: loopback(edge?.grpcPort ?? grpcPort),
      admin: `https://${loopback(adminPort)}`,
    });
  }
  return services;
}
