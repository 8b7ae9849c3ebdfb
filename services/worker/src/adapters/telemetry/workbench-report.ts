import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { WorkbenchReport } from "../../application/workbench.ts";

/** Turns what the workbench tells into log lines and the worker's own metrics. */
export function workbenchReport(logger: Logger, metrics: Metrics): WorkbenchReport {
  const results = metrics.counter(
    "orrery_worker_results_total",
    "Results of attempts that the engine answered, by what was reported and whether it was ACCEPTED",
    ["kind", "reason"],
  );
  const dropped = metrics.counter(
    "orrery_worker_leases_dropped_total",
    "Leases that the worker let go because it could no longer trust them",
    [],
  );
  return {
    resultAnswered: ({ kind, reason }) => {
      results.inc({ kind, reason });
      if (reason !== "ACCEPTED") logger.warn("a result was refused", { kind, reason });
    },
    leaseDropped: ({ jobId, leaseEpoch }, cause) => {
      dropped.inc();
      logger.warn("a lease was dropped", { jobId, leaseEpoch, cause });
    },
    addressRefused: ({ jobId, project }) => logger.security("http_address_refused", { jobId, project }),
  };
}
