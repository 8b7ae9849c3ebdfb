import { type BrokerConfig, brokerConfig } from "@orrery/mesh/config/broker-config";
import { type Address, readConfig } from "@orrery/mesh/config/read-config";
import { type ServiceConfig, serviceConfig } from "@orrery/mesh/config/service-config";

/** What the observatory is told by its environment. */
export interface ObservatoryConfig extends BrokerConfig {
  readonly service: ServiceConfig;
  /** Where the jobs service answers. */
  readonly jobs: readonly Address[];
  /** Where traces are kept; without it none are. */
  readonly traceFolder: string | undefined;
  readonly readModel:
    | { readonly kind: "embedded"; readonly folder: string }
    | { readonly kind: "elasticsearch"; readonly urls: readonly string[]; readonly prefix: string };
}

/** @throws ConfigError naming every setting that is absent or wrong */
export function readObservatoryConfig(env?: NodeJS.ProcessEnv): ObservatoryConfig {
  return readConfig(
    (read) => ({
      service: serviceConfig(read),
      ...brokerConfig(read),
      jobs: read.addresses("ORRERY_PEER_JOBS"),
      traceFolder: read.text("ORRERY_TRACE_DIR", { default: "" }) || undefined,
      readModel:
        read.choice("ORRERY_READ_MODEL", { of: ["embedded", "elasticsearch"], default: "embedded" }) ===
        "embedded"
          ? { kind: "embedded" as const, folder: read.text("ORRERY_READ_MODEL_DIR") }
          : {
              kind: "elasticsearch" as const,
              urls: urlsOf(read.text("ORRERY_ELASTICSEARCH_URL", { pattern: /^https?:\/\/\S+$/ })),
              prefix: read.text("ORRERY_ELASTICSEARCH_PREFIX", {
                default: "orrery",
                pattern: /^[a-z][a-z0-9-]{0,60}$/,
              }),
            },
    }),
    env,
  );
}

function urlsOf(text: string): readonly string[] {
  return text.split(",").map((url) => url.trim());
}
