import { resolve } from "node:path";
import { readConfig } from "../../chassis/src/config/read-config.ts";
import { ROOT } from "./places.ts";

/** What a user may say about a platform, as make variables or in the environment. */
export interface Settings {
  /** Where its data is: `ORRERY_HOME`, `.orrery` in the checkout unless said. */
  readonly home: string;
  /** The first gateway's HTTP port: `ORRERY_PORT`. */
  readonly firstPort: number;
  readonly readModel: "embedded" | "elasticsearch";
  /** How many of every service and of the gateway: `REPLICAS`, 1 to 8; undefined: as the topology says. */
  readonly replicas: number | undefined;
  /** Whether the outbox is relayed to NATS: `RELAY`. */
  readonly relay: "on" | "off";
  /** Whether Prometheus and Alertmanager watch it: `OBSERVE`. */
  readonly observe: boolean;
  /** How often they look, in milliseconds: `ORRERY_SCRAPE_INTERVAL`, 5 s unless said. */
  readonly scrapeIntervalMs: number;
  /** The projects that get keys: `PROJECTS`. */
  readonly projects: readonly string[];
  /** How long a leaf certificate lives, in milliseconds: `ORRERY_LEAF_TTL`, 24 h unless said. */
  readonly leafLifetimeMs: number;
  /** Settings of the services that are handed through as they are. */
  readonly handedThrough: Readonly<Record<string, string>>;
}

/**
 * Settings that a user may make for the services; everything else they get is the launcher's. None is a
 * secret.
 */
const HANDED_THROUGH = [
  "ORRERY_HTTP_ALLOW",
  "ORRERY_LOG_LEVEL",
  "ORRERY_METRICS",
  "ORRERY_OTLP_URL",
  "ORRERY_RATE_LIMIT",
  "ORRERY_REFLECTION",
  "ORRERY_TRACES_PER_SECOND",
  "ORRERY_TRACE_RATIO",
  "ORRERY_WORKER_SLOTS",
];

/** Names become folders and parts of key ids: each has to be a plain word. */
const PROJECTS = /^[a-z][a-z0-9-]{0,39}(,[a-z][a-z0-9-]{0,39})*$/;

/**
 * Reads the settings.
 *
 * @throws ConfigError that names every setting that is wrong
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return readConfig((read) => {
    const home = read.text("ORRERY_HOME", { default: ".orrery" });
    return {
      home: resolve(ROOT, home),
      firstPort: read.integer("ORRERY_PORT", { min: 1_024, max: 65_000, default: 4_040 }),
      readModel: read.choice("READ_MODEL", { of: ["embedded", "elasticsearch"], default: "embedded" }),
      replicas: env.REPLICAS ? read.integer("REPLICAS", { min: 1, max: 8 }) : undefined,
      relay: read.choice("RELAY", { of: ["on", "off"], default: "on" }),
      observe: read.choice("OBSERVE", { of: ["0", "1"], default: "0" }) === "1",
      scrapeIntervalMs: read.durationMs("ORRERY_SCRAPE_INTERVAL", {
        min: 1_000,
        max: 300_000,
        default: 5_000,
      }),
      projects: [...new Set(read.text("PROJECTS", { default: "demo,second", pattern: PROJECTS }).split(","))],
      leafLifetimeMs: read.durationMs("ORRERY_LEAF_TTL", {
        min: 2_000,
        max: 2_592_000_000,
        default: 86_400_000,
      }),
      handedThrough: Object.fromEntries(
        HANDED_THROUGH.flatMap((name) => (env[name] ? [[name, env[name]] as const] : [])),
      ),
    };
  }, env);
}
