import type { ServerResponse } from "node:http";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Clock } from "@orrery/mesh/time/clock";
import type { Exchange } from "./exchange.ts";
import { endRequestSpan, type RequestSpan } from "./request-span.ts";
import type { RouteLabel } from "./route-label.ts";

/**
 * Writes one log line and one measurement for every request, once its answer is out or its client is gone.
 */
export interface RequestRecorder {
  record(exchange: Exchange, response: ServerResponse, span: RequestSpan): void;
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** The status of an answer that nobody waited for, as nginx has it. */
const CLIENT_GONE = 499;

/** A recorder of the HTTP port's requests, under `orrery_http_duration_seconds`. */
export function createRequestRecorder(options: {
  metrics: Metrics;
  logger: Logger;
  clock: Clock;
  routeLabel: RouteLabel;
}): RequestRecorder {
  const durations = options.metrics.histogram(
    "orrery_http_duration_seconds",
    "Time from the first header to the end of the answer, by route.",
    ["route", "method", "status"],
    BUCKETS,
  );
  // One child for each route, method and status: looking the labels up for each request costs more than to observe.
  const children = new Map<string, ReturnType<typeof durations.labels>>();
  const durationOf = (route: string, method: string, status: number): ReturnType<typeof durations.labels> => {
    const name = `${status} ${method} ${route}`;
    const known = children.get(name) ?? durations.labels(route, method, String(status));
    children.set(name, known);
    return known;
  };
  return {
    record: (exchange, response, span) => {
      response.once("close", () => {
        const status = response.headersSent ? response.statusCode : CLIENT_GONE;
        const method = METHODS.has(exchange.httpMethod) ? exchange.httpMethod : "_other";
        const route = exchange.label ?? options.routeLabel(exchange.path);
        const durationMs = options.clock.monotonicMs() - exchange.startedMs;
        endRequestSpan(span, { method, route, status, project: exchange.caller?.project });
        durationOf(route, method, status).observe(durationMs / 1_000);
        options.logger.info("request", lineOf(exchange, { status, method, route, durationMs }));
      });
    },
  };
}

/** What is logged of a request: never its body, its query, its headers or an id from its path. */
function lineOf(
  exchange: Exchange,
  measured: { status: number; method: string; route: string; durationMs: number },
): Record<string, unknown> {
  const line: Record<string, unknown> = {
    ...measured,
    durationMs: Math.round(measured.durationMs * 1_000) / 1_000,
    request_id: exchange.requestId,
    correlation_id: exchange.correlationId,
    trace_id: exchange.traceId,
  };
  if (exchange.caller !== undefined) {
    line.principal = exchange.caller.id;
    line.project = exchange.caller.project;
  }
  if (exchange.fault !== undefined) line.reason = exchange.fault.reason;
  return line;
}
