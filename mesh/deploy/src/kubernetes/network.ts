/**
 * What the network lets through: nothing, but for the connections of the call graph. Linkerd's policies say the same
 * by identity and RPC; this says it by pod, below the proxies, and also where a pod has none.
 */
import { NAMESPACE } from "@orrery/contracts/policy/names";
import { type Edge, PORTS, PUBLIC_PORTS } from "../call-graph.ts";
import { about, type Manifest } from "../manifest.ts";
import { podLabels } from "../names.ts";

/** Between two pods with a proxy the packets go to this port of the other's proxy, whatever port is meant. */
const PROXY_PORT = 4143;
const TCP = "TCP";

/** Where Linkerd's proxies ask for certificates, addresses and policy. */
const MESH_CONTROL_PORTS = [8080, 8086, 8090];

const policy = (name: string, spec: object): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name, namespace: NAMESPACE },
  spec,
});

const portsOf = (to: string, names: readonly string[]): readonly object[] =>
  names.map((name) => ({ protocol: TCP, port: PORTS[to]?.[name] ?? 0 }));

/** Between pods of ours: also the port of the proxies. */
const meshPortsOf = (to: string, names: readonly string[]): readonly object[] => [
  ...portsOf(to, names),
  { protocol: TCP, port: PROXY_PORT },
];

const pods = (name: string): object => ({ podSelector: { matchLabels: podLabels(name) } });

/** What holds for every pod of the namespace: nothing in or out, but names and the mesh's own control. */
export function foundationPolicies(): readonly Manifest[] {
  const inNamespace = (name: string) => ({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
  });
  return [
    policy("deny-all", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
    policy("allow-names-and-mesh", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [
        {
          to: [inNamespace("kube-system")],
          ports: [
            { protocol: "UDP", port: 53 },
            { protocol: TCP, port: 53 },
          ],
        },
        {
          to: [inNamespace("linkerd")],
          ports: [...MESH_CONTROL_PORTS, PROXY_PORT].map((port) => ({ protocol: TCP, port })),
        },
      ],
    }),
  ];
}

/** What one process may open, and who may open what to it. Undefined where there is nothing. */
export function networkPolicy(name: string, edges: readonly Edge[]): Manifest | undefined {
  const out = Map.groupBy(
    edges.filter(({ from }) => from === name),
    ({ to }) => to,
  );
  const incoming = Map.groupBy(
    edges.filter(({ to }) => to === name),
    ({ port }) => port,
  );
  const open = PUBLIC_PORTS.filter(({ to }) => to === name).map(({ port }) => port);
  const ingress = [
    ...[...incoming].map(([port, group]) => ({
      from: group.map(({ from }) => pods(from)),
      ports: meshPortsOf(name, [port]),
    })),
    // From anywhere: no `from` at all.
    ...(open.length > 0 ? [{ ports: portsOf(name, open) }] : []),
  ];
  const egress = [
    ...[...out].map(([to, group]) => ({
      to: [pods(to)],
      ports: meshPortsOf(
        to,
        group.map(({ port }) => port),
      ),
    })),
    ...(name === "worker" ? [beyondTheCluster()] : []),
  ];
  if (ingress.length + egress.length === 0) return undefined;
  return {
    ...policy(name, {
      podSelector: { matchLabels: podLabels(name) },
      policyTypes: ["Ingress", "Egress"],
      ...(ingress.length > 0 && { ingress }),
      ...(egress.length > 0 && { egress }),
    }),
    metadata: about(name),
  };
}

/** The task `orrery.http` calls the public network, and never what is private: cluster, nodes, their metadata. */
const beyondTheCluster = (): object => ({
  to: [
    {
      ipBlock: {
        cidr: "0.0.0.0/0",
        except: [
          "10.0.0.0/8",
          "100.64.0.0/10",
          "127.0.0.0/8",
          "169.254.0.0/16",
          "172.16.0.0/12",
          "192.168.0.0/16",
        ],
      },
    },
    { ipBlock: { cidr: "::/0", except: ["::1/128", "fc00::/7", "fe80::/10"] } },
  ],
  ports: [
    { protocol: TCP, port: 80 },
    { protocol: TCP, port: 443 },
  ],
});
