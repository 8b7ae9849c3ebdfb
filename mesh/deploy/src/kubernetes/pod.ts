/** What every container and pod of ours has in common, whatever runs in it. */
import { USER } from "../names.ts";

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
export const SECRET_MODE = 0o440;

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
