import { spiffeId } from "../../chassis/src/identity/dev-ca.ts";
import { CLIENTS, type NatsPermissions, type Workload } from "../../topology.ts";

/**
 * What all streams together may reserve: 16 GiB for the events of each context, 1 GiB for dead letters. Where it were
 * less, the first contexts to make their streams would leave nothing to the others. Little of it is ever used.
 */
const STORE_BYTES = 68_719_476_736;

/** What the configuration of nats-server depends on. */
export interface NatsNode {
  readonly port: number;
  readonly monitorPort: number;
  readonly storeDir: string;
  readonly identityFile: string;
  readonly caFile: string;
  readonly workloads: readonly Workload[];
}

/**
 * Writes the configuration of nats-server: mutual TLS, the SPIFFE URI of a certificate is the user, and a
 * user may do what the topology grants and nothing else. There is no user without a certificate.
 *
 * JSON is a subset of what nats-server reads, and leaves nothing to be escaped by hand.
 */
export function natsConfig(node: NatsNode): string {
  const users = [...node.workloads, ...CLIENTS].flatMap(({ name, nats }) =>
    nats ? [userOf(name, nats)] : [],
  );
  return JSON.stringify(
    {
      server_name: "orrery",
      host: "127.0.0.1",
      port: node.port,
      http: `127.0.0.1:${node.monitorPort}`,
      max_connections: 1_000,
      max_payload: 1_048_576,
      jetstream: { store_dir: node.storeDir, max_memory_store: 67_108_864, max_file_store: STORE_BYTES },
      tls: {
        cert_file: node.identityFile,
        key_file: node.identityFile,
        ca_file: node.caFile,
        verify_and_map: true,
        timeout: 5,
      },
      authorization: { users },
    },
    null,
    2,
  );
}

const userOf = (name: string, { publish, subscribe }: NatsPermissions) => ({
  user: spiffeId(name),
  permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
});
