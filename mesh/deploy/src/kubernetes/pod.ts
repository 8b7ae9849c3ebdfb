/** What every container and pod of ours has in common, whatever runs in it, and what stands beside each. */
import { about, type Manifest } from "../manifest.ts";
import { podLabels, USER } from "../names.ts";

/** Asks the kubelet to give a pod Linkerd's proxy, as a sidecar that starts first and ends last. */
export const MESHED = {
  "linkerd.io/inject": "enabled",
  "config.beta.linkerd.io/proxy-enable-native-sidecar": "true",
} as const;

/** What a container may do: nothing that its program does not need. */
export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
} as const;

/** Who a pod runs as. Mounted secrets are readable for its group alone. */
export const podSecurity = (user = USER) => ({
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  seccompProfile: { type: "RuntimeDefault" },
});

/** Files of a mounted secret: for root and the pod's group. */
const SECRET_MODE = 0o440;

/**
 * What a container is promised and may take. Memory is promised whole, since a heap that was promised less is ended
 * by the kernel just when there is most to do. No limit on processor time: it would slow a service down while the node
 * stands idle, and what is promised is kept anyway.
 */
export const resources = (memoryMiB: number, cpu: string) => ({
  requests: { cpu, memory: `${memoryMiB}Mi`, "ephemeral-storage": "64Mi" },
  limits: { memory: `${memoryMiB}Mi`, "ephemeral-storage": "1Gi" },
});

/** A probe by HTTP: the one kind that Linkerd lets through a port that denies everybody. */
export const httpProbe = (
  port: string,
  path: string,
  { periodSeconds, failureThreshold }: { periodSeconds: number; failureThreshold: number },
) => ({ httpGet: { port, path }, periodSeconds, failureThreshold, timeoutSeconds: 2 });

/** Ports as containers name them. */
export const containerPorts = (ports: Readonly<Record<string, number>>) =>
  Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort, protocol: "TCP" }));

/** A volume in memory that starts empty. */
export const scratch = (name: string, sizeLimit = "64Mi") => ({
  name,
  emptyDir: { medium: "Memory", sizeLimit },
});

/** The Secret that cert-manager keeps a leaf in. */
export const leafSecret = (holder: string): string => `${holder}-identity`;

/** A Secret as files that change when it does. */
export const secretVolume = (name: string, secretName: string) => ({
  name,
  secret: { secretName, defaultMode: SECRET_MODE },
});

/** A disk of a StatefulSet's pod. */
export const disk = (name: string, storage: string) => ({
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
});

/** The identity of a process: Linkerd names it after its account, and it has no use for a token of the API server. */
export const serviceAccount = (name: string): Manifest => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: about(name),
  automountServiceAccountToken: false,
});

/** One at a time may be taken away on purpose. */
export const disruption = (name: string): Manifest => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: about(name),
  spec: { maxUnavailable: 1, selector: { matchLabels: podLabels(name) } },
});

/** Who a pod is, in its spec. Other Services' addresses come by name, not as variables. */
export const podAccount = (name: string) => ({
  serviceAccountName: name,
  automountServiceAccountToken: false,
  enableServiceLinks: false,
});
