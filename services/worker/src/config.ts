import { type Address, readConfig } from "@orrery/mesh/config/read-config";
import { type ServiceConfig, serviceConfig } from "@orrery/mesh/config/service-config";

/** What the worker service reads from its environment. */
export interface WorkerConfig extends ServiceConfig {
  /** The replicas of the jobs service: `ORRERY_PEER_JOBS`. A stream is kept open to each. */
  readonly jobs: readonly Address[];
  /** How many attempts run at once: `ORRERY_WORKER_SLOTS`, 1 to 10,000; 100 unless set. */
  readonly slots: number;
  /** How many threads the handlers run in: `ORRERY_WORKER_THREADS`, 1 to 16; 1 unless set. */
  readonly threads: number;
  /**
   * Where `orrery.http` may go beyond the public network: `ORRERY_HTTP_ALLOW`, host:port or blocks; nothing
   * unless set.
   */
  readonly httpAllow: readonly string[];
  /**
   * How long running attempts may still take at a stop: `ORRERY_WORKER_DRAIN`, up to 10 s; 5 s unless set.
   */
  readonly workDrainMs: number;
}

/** Reads the configuration, or throws one error that names all that is wrong with it. */
export function workerConfig(env?: NodeJS.ProcessEnv): Readonly<WorkerConfig> {
  return readConfig(
    (read) => ({
      ...serviceConfig(read),
      jobs: read.addresses("ORRERY_PEER_JOBS"),
      slots: read.integer("ORRERY_WORKER_SLOTS", { min: 1, max: 10_000, default: 100 }),
      threads: read.integer("ORRERY_WORKER_THREADS", { min: 1, max: 16, default: 1 }),
      httpAllow: read.list("ORRERY_HTTP_ALLOW", { default: [] }),
      workDrainMs: read.durationMs("ORRERY_WORKER_DRAIN", { min: 0, max: 10_000, default: 5_000 }),
    }),
    env,
  );
}
