import { WORKLOADS } from "@orrery/mesh/topology";
import { natsConfig } from "../../dev/src/nats-config.ts";

const GIB = 1_073_741_824;

/** What the configuration of nats-server depends on outside a laptop. */
export interface NatsPlace {
  readonly identityFile: string;
  readonly caFile: string;
  readonly storeDir: string;
  readonly diskGiB: number;
  /** The other servers, where there are several. */
  readonly routes?: readonly string[];
  readonly pidFile?: string;
}

/** The laptop's configuration, users and permissions word for word, where clients come from other machines. */
export function natsSettings(place: NatsPlace): string {
  const { identityFile, caFile, storeDir, diskGiB, routes = [], pidFile } = place;
  const laptop = JSON.parse(
    natsConfig({ port: 4222, monitorPort: 8222, storeDir, identityFile, caFile, workloads: WORKLOADS }),
  ) as { jetstream: object; server_name?: string };
  const { server_name, ...shared } = laptop;
  const cluster = {
    name: "orrery",
    listen: "0.0.0.0:6222",
    tls: { cert_file: identityFile, key_file: identityFile, ca_file: caFile, verify: true, timeout: 5 },
    routes,
  };
  const settings = {
    ...shared,
    // Several have a name each, which their pod gives them.
    ...(routes.length === 0 && { server_name }),
    host: "0.0.0.0",
    http: "0.0.0.0:8222",
    ...(pidFile !== undefined && { pid_file: pidFile }),
    // A tenth stays free: a full disk stops the broker.
    jetstream: { ...laptop.jetstream, max_file_store: Math.floor(diskGiB * 0.9 * GIB) },
    ...(routes.length > 0 && { cluster }),
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}
