/** Elasticsearch: one node for kind, three under Elastic's operator for production. */
import { NAMESPACE } from "@orrery/contracts/policy/names";
import { PORTS } from "../call-graph.ts";
import { about, type Manifest } from "../manifest.ts";
import { ELASTIC_VERSION, IMAGES, labelsOf, podLabels } from "../names.ts";
import {
  CONTAINER_SECURITY,
  containerPorts,
  disk,
  httpProbe,
  MESHED,
  podAccount,
  podSecurity,
  resources,
  serviceAccount,
} from "./pod.ts";

const ELASTIC_USER = 1_000;
const OPAQUE = { "config.linkerd.io/opaque-ports": "9300" };
/** An index comes by a template of the observatory or not at all. */
const SETTINGS = { "action.auto_create_index": "false", "node.store.allow_mmap": "false" };

/** One node with its disk. It asks nobody who they are: the network and the mesh let the observatory in alone. */
export const singleElasticsearch = (): readonly Manifest[] => [
  serviceAccount("elasticsearch"),
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: about("elasticsearch-es-http", { of: "elasticsearch" }),
    spec: {
      selector: podLabels("elasticsearch"),
      ports: [{ name: "http", port: 9200, targetPort: "http", protocol: "TCP", appProtocol: "http" }],
    },
  },
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: about("elasticsearch"),
    spec: {
      serviceName: "elasticsearch-es-http",
      replicas: 1,
      selector: { matchLabels: podLabels("elasticsearch") },
      template: {
        metadata: { labels: labelsOf("elasticsearch"), annotations: { ...MESHED, ...OPAQUE } },
        spec: {
          ...podAccount("elasticsearch"),
          terminationGracePeriodSeconds: 60,
          securityContext: podSecurity(ELASTIC_USER),
          containers: [node()],
        },
      },
      volumeClaimTemplates: [disk("data", "10Gi")],
    },
  },
];

function node(): object {
  const settings = { "discovery.type": "single-node", "xpack.security.enabled": "false", ...SETTINGS };
  const answers = "/_cluster/health?local=true";
  return {
    name: "elasticsearch",
    image: IMAGES.elasticsearch,
    ports: containerPorts(PORTS.elasticsearch ?? {}),
    env: [
      ...Object.entries(settings).map(([name, value]) => ({ name, value })),
      { name: "ES_JAVA_OPTS", value: "-Xms512m -Xmx512m" },
    ],
    startupProbe: httpProbe("http", answers, { periodSeconds: 5, failureThreshold: 60 }),
    readinessProbe: httpProbe("http", answers, { periodSeconds: 5, failureThreshold: 3 }),
    livenessProbe: httpProbe("http", answers, { periodSeconds: 20, failureThreshold: 6 }),
    resources: resources(1_536, "500m"),
    // It makes a keystore beside its configuration at every start, and its root file system is where that lies.
    securityContext: { ...CONTAINER_SECURITY, readOnlyRootFilesystem: false },
    volumeMounts: [{ name: "data", mountPath: "/usr/share/elasticsearch/data" }],
  };
}

/** The role that anyone has who reaches it, which is the observatory: its own indices, and no one's users. */
const ANONYMOUS_ROLE = {
  observatory: {
    cluster: ["monitor", "manage_index_templates", "manage_ilm"],
    indices: [{ names: ["orrery*"], privileges: ["all"] }],
  },
};

/**
 * Three nodes under Elastic's operator, which makes the Service `elasticsearch-es-http`. Linkerd encrypts and says who
 * comes, so its own TLS is off at the port of clients, and who gets there has the one role that is needed.
 */
export const operatedElasticsearch = (): readonly Manifest[] => [
  serviceAccount("elasticsearch"),
  {
    apiVersion: "elasticsearch.k8s.elastic.co/v1",
    kind: "Elasticsearch",
    metadata: about("elasticsearch"),
    spec: {
      version: ELASTIC_VERSION,
      http: { tls: { selfSignedCertificate: { disabled: true } } },
      auth: { roles: [{ secretName: "elasticsearch-roles" }] },
      nodeSets: [
        {
          name: "all",
          count: 3,
          config: {
            ...SETTINGS,
            "xpack.security.authc": {
              anonymous: {
                username: "observatory",
                roles: Object.keys(ANONYMOUS_ROLE).join(","),
                authz_exception: true,
              },
            },
          },
          podTemplate: {
            metadata: {
              labels: podLabels("elasticsearch"),
              annotations: { ...MESHED, ...OPAQUE },
            },
            spec: {
              serviceAccountName: "elasticsearch",
              automountServiceAccountToken: false,
              containers: [{ name: "elasticsearch", resources: resources(4_096, "1") }],
            },
          },
          volumeClaimTemplates: [disk("elasticsearch-data", "100Gi")],
        },
      ],
    },
  },
  ...operatorAccess(),
];

/** What the Secret `elasticsearch-roles` holds: nothing secret, but the operator reads roles from nowhere else. */
export const rolesFile = (): readonly (readonly [string, object])[] => [["roles.yml", ANONYMOUS_ROLE]];

/** The operator has to be in the mesh to be let in. */
function operatorAccess(): readonly Manifest[] {
  const name = "elasticsearch-operator";
  return [
    {
      apiVersion: "policy.linkerd.io/v1alpha1",
      kind: "MeshTLSAuthentication",
      metadata: about(name, { of: "elasticsearch" }),
      spec: {
        identityRefs: [{ kind: "ServiceAccount", name: "elastic-operator", namespace: "elastic-system" }],
      },
    },
    {
      apiVersion: "policy.linkerd.io/v1alpha1",
      kind: "AuthorizationPolicy",
      metadata: about(name, { of: "elasticsearch" }),
      spec: {
        targetRef: { group: "policy.linkerd.io", kind: "Server", name: "elasticsearch-http" },
        requiredAuthenticationRefs: [{ group: "policy.linkerd.io", kind: "MeshTLSAuthentication", name }],
      },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace: NAMESPACE },
      spec: {
        podSelector: { matchLabels: podLabels("elasticsearch") },
        policyTypes: ["Ingress"],
        ingress: [
          {
            from: [
              { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "elastic-system" } } },
            ],
            ports: [9200, 4143].map((port) => ({ protocol: "TCP", port })),
          },
        ],
      },
    },
  ];
}
