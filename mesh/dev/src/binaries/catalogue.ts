import { BinaryMissing } from "./binary-missing.ts";

/**
 * Where a binary can be had when it is not here: Go's own installer, or a Debian package that puts it at
 * `path`.
 */
export type Source =
  | { readonly kind: "go"; readonly module: string; readonly version: string; readonly builds: string }
  | { readonly kind: "debian"; readonly package: string; readonly path: string };

/** A program that is not on npm. */
export interface Binary {
  readonly name: string;
  /** The environment variable that names one to use. */
  readonly variable: string;
  /** The oldest version on PATH that is taken, as numbers joined by dots. */
  readonly minimum: string;
  /** The version the project is written against; an older one is taken with a warning. */
  readonly reference: string;
  /** The arguments that make it print its version. */
  readonly versionArgs: readonly string[];
  readonly sources: readonly Source[];
}

/**
 * Every program outside npm that the project starts, except PostgreSQL (npm) and Elasticsearch (Maven
 * Central).
 */
export const BINARIES = [
  {
    name: "nats-server",
    variable: "ORRERY_NATS_SERVER",
    minimum: "2.9.10",
    reference: "2.12.0",
    versionArgs: ["-v"],
    sources: [
      { kind: "go", module: "github.com/nats-io/nats-server/v2", version: "v2.12.15", builds: "nats-server" },
      { kind: "debian", package: "nats-server", path: "/usr/sbin/nats-server" },
    ],
  },
  {
    name: "grpcurl",
    variable: "ORRERY_GRPCURL",
    minimum: "1.9.0",
    reference: "1.9.0",
    versionArgs: ["-version"],
    sources: [
      {
        kind: "go",
        module: "github.com/fullstorydev/grpcurl/cmd/grpcurl",
        version: "v1.9.3",
        builds: "grpcurl",
      },
    ],
  },
  {
    name: "ghz",
    variable: "ORRERY_GHZ",
    minimum: "0.117.0",
    reference: "0.117.0",
    versionArgs: ["--version"],
    sources: [{ kind: "go", module: "github.com/bojand/ghz/cmd/ghz", version: "v0.120.0", builds: "ghz" }],
  },
  {
    name: "toxiproxy-server",
    variable: "ORRERY_TOXIPROXY",
    minimum: "2.9.0",
    reference: "2.9.0",
    versionArgs: ["-version"],
    sources: [
      {
        kind: "go",
        module: "github.com/Shopify/toxiproxy/v2/cmd/server",
        version: "v2.12.0",
        builds: "server",
      },
    ],
  },
  {
    name: "kubeconform",
    variable: "ORRERY_KUBECONFORM",
    minimum: "0.6.0",
    reference: "0.6.0",
    versionArgs: ["-v"],
    sources: [
      {
        kind: "go",
        module: "github.com/yannh/kubeconform/cmd/kubeconform",
        version: "v0.7.0",
        builds: "kubeconform",
      },
    ],
  },
  {
    name: "kustomize",
    variable: "ORRERY_KUSTOMIZE",
    minimum: "5.0.0",
    reference: "5.0.0",
    versionArgs: ["version"],
    sources: [
      {
        kind: "go",
        module: "sigs.k8s.io/kustomize/kustomize/v5",
        version: "v5.7.1",
        builds: "kustomize",
      },
    ],
  },
  {
    name: "prometheus",
    variable: "ORRERY_PROMETHEUS",
    minimum: "2.42.0",
    reference: "2.42.0",
    versionArgs: ["--version"],
    sources: [{ kind: "debian", package: "prometheus", path: "/usr/bin/prometheus" }],
  },
  {
    name: "promtool",
    variable: "ORRERY_PROMTOOL",
    minimum: "2.42.0",
    reference: "2.42.0",
    versionArgs: ["--version"],
    sources: [{ kind: "debian", package: "prometheus", path: "/usr/bin/promtool" }],
  },
  {
    name: "alertmanager",
    variable: "ORRERY_ALERTMANAGER",
    minimum: "0.25.0",
    reference: "0.25.0",
    versionArgs: ["--version"],
    sources: [
      { kind: "debian", package: "prometheus-alertmanager", path: "/usr/bin/prometheus-alertmanager" },
      {
        kind: "go",
        module: "github.com/prometheus/alertmanager/cmd/alertmanager",
        version: "v0.28.1",
        builds: "alertmanager",
      },
    ],
  },
  {
    name: "wrk",
    variable: "ORRERY_WRK",
    minimum: "4.0.0",
    reference: "4.1.0",
    versionArgs: ["-v"],
    sources: [{ kind: "debian", package: "wrk", path: "/usr/bin/wrk" }],
  },
  {
    name: "chromium",
    variable: "ORRERY_CHROMIUM",
    minimum: "120.0",
    reference: "120.0",
    versionArgs: ["--version"],
    sources: [{ kind: "debian", package: "chromium", path: "/usr/bin/chromium" }],
  },
] as const satisfies readonly Binary[];

/** The entry of a binary, by its name. */
export function binaryNamed(name: string): Binary {
  const binary = BINARIES.find((candidate) => candidate.name === name);
  if (binary === undefined) {
    throw new BinaryMissing(
      `no binary ${name}: there are ${BINARIES.map((candidate) => candidate.name).join(", ")}`,
    );
  }
  return binary;
}
