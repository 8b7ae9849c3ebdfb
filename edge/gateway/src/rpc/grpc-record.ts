import type { DescMethod } from "@bufbuild/protobuf";
import type { Fault } from "@orrery/mesh/fault/fault";
import { reasonRules } from "@orrery/mesh/fault/fault";
import { codeName } from "@orrery/mesh/fault/wire";
import { METRIC } from "@orrery/mesh/telemetry/attributes";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Clock } from "@orrery/mesh/time/clock";
import type { EdgeCall } from "../dispatch/edge-call.ts";

/** Writes one log line and one measurement for every call on the gRPC port. */
export interface GrpcRecorder {
  begin(method: DescMethod): { opened(call: EdgeCall): void; ended(fault: Fault | undefined): void };
}

/** A recorder of the gRPC port's calls, under `orrery_rpc_server_duration_seconds`. */
export function createGrpcRecorder(options: {
  metrics: Metrics;
  logger: Logger;
  clock: Clock;
}): GrpcRecorder {
  const durations = options.metrics.histogram(
    METRIC.RPC_SERVER_SECONDS,
    "Time that a call took on this server, by RPC and code.",
    ["rpc_service", "method", "code"],
  );
  return {
    begin: (method) => {
      const startedMs = options.clock.monotonicMs();
      let call: EdgeCall | undefined;
      return {
        opened: (opened) => {
          call = opened;
        },
        ended: (fault) => {
          const durationMs = options.clock.monotonicMs() - startedMs;
          const code = fault === undefined ? "OK" : codeName(reasonRules(fault.reason).code);
          const labels = { rpc_service: method.parent.typeName, method: method.name };
          durations.observe({ ...labels, code }, durationMs / 1_000);
          options.logger.info("call", {
            ...labels,
            code,
            durationMs: Math.round(durationMs * 1_000) / 1_000,
            ...(call && {
              correlation_id: call.correlationId,
              trace_id: call.traceId,
              principal: call.caller.id,
              project: call.caller.project,
            }),
            ...(fault && { reason: fault.reason }),
          });
        },
      };
    },
  };
}
