import { ATTR } from "@orrery/mesh/telemetry/attributes";
import { openItemSpan } from "@orrery/mesh/telemetry/item-span";
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
    attemptOver: (attempt, { startedMs, endedMs, ok }) => {
      const attributes = { [ATTR.PROJECT]: attempt.project, [ATTR.AGGREGATE]: attempt.jobId };
      const begun = { kind: "consumer", attributes, startMs: startedMs } as const;
      const span = openItemSpan(attempt.traceparent, "job.attempt", begun);
      if (span === undefined) return;
      const told = { kind: "client", attributes, startMs: endedMs } as const;
      openItemSpan(span.traceparent, "job.report", told)?.end();
      span.end({ failed: !ok });
    },
    leaseDropped: ({ jobId, leaseEpoch }, cause) => {
      dropped.inc();
      logger.warn("a lease was dropped", { jobId, leaseEpoch, cause });
    },
    addressRefused: ({ jobId, project }) => logger.security("http_address_refused", { jobId, project }),
  };
}
