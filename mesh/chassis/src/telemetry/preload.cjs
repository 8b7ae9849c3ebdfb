// Loaded with `node --require` before anything else, so that @grpc/grpc-js is instrumented when the chassis
// imports it.
//
// A require hook is enough because grpc-js is required here, once: later ESM imports get the same, patched
// module. The ESM loader hook of OpenTelemetry would do it too, at 80 MiB and a second for each process.
// Without the require below there would be no gRPC spans, and no error either.
//
// Spans are made when ORRERY_OTLP_URL names a collector (OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces).
// Without one, or with "off", nobody would ever see them, and they were half of what a request cost the edge: calls,
// events and log lines then share a trace by the traceparent alone.
const { context, propagation } = require("@opentelemetry/api");
const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks");
const { W3CTraceContextPropagator } = require("@opentelemetry/core");

const { ORRERY_OTLP_URL } = process.env;

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
if (ORRERY_OTLP_URL && ORRERY_OTLP_URL !== "off") require("./span-export.cjs").exportSpans(process.env);

require("@grpc/grpc-js");
