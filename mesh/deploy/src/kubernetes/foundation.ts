/** What has to stand before anything else: the namespace, its closed network, and an authority for leaves. */
import { NAMESPACE } from "@orrery/contracts/policy/names";
import { spiffeId } from "@orrery/mesh/identity/dev-ca";
import { workloadDnsName } from "@orrery/mesh/identity/peer-identity";
import { CLIENTS, WORKLOADS } from "@orrery/mesh/topology";
import { about, type Manifest } from "../manifest.ts";
import { serviceHost } from "../names.ts";
import { foundationPolicies } from "./network.ts";
import { leafSecret, serviceAccount } from "./pod.ts";

/** The Issuer that signs leaves, with the authority that only this namespace has. */
const AUTHORITY = "orrery-authority";

/** Who gets a leaf, and what is written into it. */
export interface Leaf {
  readonly commonName: string;
  /** The process whose names it carries; a database role has none. */
  readonly process?: string;
  /** The Services that it answers as. */
  readonly hosts?: readonly string[];
}

/** A workload takes a new leaf into use as it runs. A server may have to be told, so that it has more time for it. */
const LIFE = { duration: "24h", renewBefore: "8h" };
const SERVER_LIFE = { duration: "2160h", renewBefore: "720h" };

/** Every leaf of the cluster. The gateway's faces the outside and is the overlay's matter. */
const LEAVES: readonly Leaf[] = [
  ...WORKLOADS.filter(({ ports }) => ports.http === undefined).map(({ name }) => ({
    commonName: name,
    process: name,
  })),
  ...CLIENTS.filter(({ nats }) => nats !== null).map(({ name }) => ({ commonName: name, process: name })),
  ...WORKLOADS.flatMap(({ database }) => (database === null ? [] : [{ commonName: database.ownerRole }])),
  {
    commonName: "postgres",
    process: "postgres",
    hosts: ["rw", "r", "ro"].map((end) => serviceHost(`postgres-${end}`)),
  },
  {
    commonName: "nats",
    process: "nats",
    hosts: [serviceHost("nats"), `*.${serviceHost("nats-replicas")}`],
  },
  // CloudNativePG's replicas follow their primary as this role.
  { commonName: "streaming_replica" },
];

/** Names of resources take no underscore, and roles have one. */
const leafName = ({ commonName }: Leaf): string => commonName.replaceAll("_", "-");

/** All of it, in the order in which it is read. */
export const foundation = (): readonly Manifest[] => [
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: NAMESPACE,
      labels: {
        "app.kubernetes.io/part-of": "orrery",
        // Linkerd's init container sets up the network of a pod; with its CNI plugin this may be `restricted`.
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
      },
      annotations: { "linkerd.io/inject": "enabled", "config.linkerd.io/default-inbound-policy": "deny" },
    },
  },
  ...foundationPolicies(),
  ...CLIENTS.map(({ name }) => serviceAccount(name)).filter(({ metadata }) => metadata?.name === "operator"),
  ...authority(),
  ...LEAVES.map(certificate),
];

function authority(): readonly Manifest[] {
  const root = `${AUTHORITY}-root`;
  return [
    issuer(root, { selfSigned: {} }),
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: about(AUTHORITY),
      spec: {
        isCA: true,
        commonName: "Orrery authority",
        secretName: AUTHORITY,
        duration: "8760h",
        renewBefore: "2160h",
        privateKey: { algorithm: "ECDSA", size: 256 },
        issuerRef: { kind: "Issuer", name: root },
      },
    },
    issuer(AUTHORITY, { ca: { secretName: AUTHORITY } }),
  ];
}

const issuer = (name: string, spec: object): Manifest => ({
  apiVersion: "cert-manager.io/v1",
  kind: "Issuer",
  metadata: about(name),
  spec,
});

/** The names of the laptop's leaves: the CN is the role in PostgreSQL, the SPIFFE URI the user of NATS. */
function certificate(leaf: Leaf): Manifest {
  const { commonName, process, hosts = [] } = leaf;
  const dnsNames = [...(process === undefined ? [] : [workloadDnsName(process)]), ...hosts];
  const name = leafName(leaf);
  return {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: about(leafSecret(name), { of: process ?? name }),
    spec: {
      secretName: leafSecret(name),
      commonName,
      ...(dnsNames.length > 0 && { dnsNames }),
      ...(process !== undefined && { uris: [spiffeId(process)] }),
      ...(hosts.length > 0 ? SERVER_LIFE : LIFE),
      // CloudNativePG reads a Secret again when it changes, where it is labelled so.
      secretTemplate: { labels: { "cnpg.io/reload": "" } },
      usages: ["digital signature", "client auth", "server auth"],
      privateKey: { algorithm: "ECDSA", encoding: "PKCS8", size: 256, rotationPolicy: "Always" },
      // Key and certificate in one file: no reader ever sees one of each.
      additionalOutputFormats: [{ type: "CombinedPEM" }],
      issuerRef: { kind: "Issuer", name: AUTHORITY },
    },
  };
}
