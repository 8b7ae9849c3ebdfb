import type { Contract } from "@orrery/contracts/image/contract-image";
import { adminCallers } from "@orrery/contracts/policy/admin-ports";
import { SERVER_CALLERS } from "@orrery/mesh/policy/method-policy";
import { CLIENTS, WORKLOADS } from "@orrery/mesh/topology";
import { OWN_GRPC_PORT } from "./configuration.ts";

/** Who opens connections to what. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** The name of the port, as in `PORTS`. */
  readonly port: string;
}

/** The ports of every process by name, as containers and Services call them. */
export const PORTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ...Object.fromEntries(
    WORKLOADS.map(({ name, ports }) => [
      name,
      ports.http === undefined
        ? { grpc: OWN_GRPC_PORT, admin: ports.admin }
        : { http: ports.http, "edge-grpc": ports.grpc, admin: ports.admin },
    ]),
  ),
  postgres: { postgres: 5432 },
  nats: { client: 4222, cluster: 6222, monitor: 8222 },
  elasticsearch: { http: 9200, transport: 9300 },
  prometheus: { web: 9090 },
  alertmanager: { web: 9093 },
  grafana: { web: 3000 },
};

/** Ports that anyone may reach from outside the cluster. */
export const PUBLIC_PORTS: readonly { readonly to: string; readonly port: string }[] = WORKLOADS.flatMap(
  ({ name, ports }) =>
    ports.http === undefined ? [] : ["http", "edge-grpc"].map((port) => ({ to: name, port })),
);

/** The process that runs a workload's migrations. */
export const migrationsOf = (workload: string): string => `${workload}-migrations`;

/** Every connection that the platform opens inside itself, each once. */
export function callGraph({ rpcs }: Contract): readonly Edge[] {
  const edges = [...rpcEdges({ rpcs }), ...adminEdges(), ...storeEdges(), ...watchEdges()];
  return [...new Map(edges.map((edge) => [`${edge.from} ${edge.to} ${edge.port}`, edge])).values()];
}

/** The caller lists of the protos, and who asks a server about itself. */
function rpcEdges({ rpcs }: Pick<Contract, "rpcs">): readonly Edge[] {
  const serving = new Set(rpcs.map(({ service }) => service.workload));
  const askers = [...SERVER_CALLERS.health, ...SERVER_CALLERS.reflection];
  return [
    ...rpcs.flatMap(({ rules, service }) =>
      rules.callers.map((from) => ({ from, to: service.workload, port: "grpc" })),
    ),
    ...[...serving].flatMap((to) => askers.map((from) => ({ from, to, port: "grpc" }))),
  ];
}

function adminEdges(): readonly Edge[] {
  return WORKLOADS.flatMap(({ name: to }) => adminCallers(to).map((from) => ({ from, to, port: "admin" })));
}

function storeEdges(): readonly Edge[] {
  return [
    ...WORKLOADS.filter(({ database }) => database !== null).flatMap(({ name }) =>
      [name, migrationsOf(name)].map((from) => ({ from, to: "postgres", port: "postgres" })),
    ),
    ...[...WORKLOADS, ...CLIENTS]
      .filter(({ nats }) => nats !== null)
      .map(({ name }) => ({ from: name, to: "nats", port: "client" })),
    { from: "observatory", to: "elasticsearch", port: "http" },
    // Replicas among themselves, where there are several.
    { from: "postgres", to: "postgres", port: "postgres" },
    { from: "nats", to: "nats", port: "cluster" },
    { from: "elasticsearch", to: "elasticsearch", port: "transport" },
  ];
}

function watchEdges(): readonly Edge[] {
  return [
    { from: "prometheus", to: "alertmanager", port: "web" },
    { from: "alerts", to: "alertmanager", port: "web" },
    { from: "grafana", to: "prometheus", port: "web" },
    { from: "operator", to: "prometheus", port: "web" },
    { from: "operator", to: "alertmanager", port: "web" },
    { from: "operator", to: "grafana", port: "web" },
  ];
}
