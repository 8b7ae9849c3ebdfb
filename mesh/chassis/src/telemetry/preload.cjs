// Loaded with `node --require` before anything else, so that @grpc/grpc-js is instrumented when the chassis
// imports it.
//
// A require hook is enough because grpc-js is required here, once: later ESM imports get the same, patched
// module. The ESM loader hook of OpenTelemetry would do it too, at 80 MiB and a second for each process.
// Without the require below there would be no gRPC spans, and no error either.
//
// Spans are made in every case, so that calls, events and log lines share a trace; they are exported only
// when ORRERY_OTLP_URL names a collector (OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces).
const { context, propagation, trace } = require("@opentelemetry/api");
const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks");
const { W3CTraceContextPropagator } = require("@opentelemetry/core");
const { GrpcInstrumentation } = require("@opentelemetry/instrumentation-grpc");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");

const { ORRERY_INSTANCE, ORRERY_OTLP_URL, ORRERY_SERVICE } = process.env;

function exporters() {
  if (!ORRERY_OTLP_URL) return [];
  const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-http");
  return [new BatchSpanProcessor(new OTLPTraceExporter({ url: ORRERY_OTLP_URL }))];
}

const provider = new TracerProvider({
  resource: resourceFromAttributes({
    "service.name": ORRERY_SERVICE ?? "orrery",
    "service.instance.id": ORRERY_INSTANCE ?? "unnamed",
  }),
  spanProcessors: exporters(),
});

trace.setGlobalTracerProvider(provider);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
// Enables itself, and takes the provider registered above.
new GrpcInstrumentation();

require("@grpc/grpc-js");
