import type { AdminInbox } from "@orrery/mesh/health/admin-inbox";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { TraceStore } from "../../application/ports.ts";
import { spansFromOtlp } from "./otlp-json.ts";
import { TRACE_LIMITS } from "./trace-limits.ts";

/** Where exporters post to, by the convention of OTLP over HTTP. */
export const TRACE_PATH = "/v1/traces";

/** The workloads that send spans: all that the topology names, which a test holds. A service reads no topology. */
const SENDERS = ["alerts", "gateway", "jobs", "observatory", "orchestrator", "worker"];

/** Takes the spans of the platform's own processes; what a sender sends again is kept once. */
export function traceInbox(traces: TraceStore, metrics: Metrics): AdminInbox {
  const taken = metrics.counter("orrery_trace_spans_total", "Spans that came in, and what became of them.", [
    "result",
  ]);
  for (const result of ["kept", "dropped"]) taken.inc({ result }, 0);
  return {
    from: SENDERS,
    limitBytes: TRACE_LIMITS.bodyBytes,
    async take(body) {
      const spans = spansFromOtlp(body.toString("utf8"));
      if (spans === undefined) return { status: 400, text: "not an OTLP message in JSON, or too many spans" };
      const dropped = await traces.add(spans);
      taken.inc({ result: "kept" }, spans.length - dropped);
      taken.inc({ result: "dropped" }, dropped);
      // What an exporter expects where all went well: an empty ExportTraceServiceResponse.
      return { status: 200, text: "{}" };
    },
  };
}
