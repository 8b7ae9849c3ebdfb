// Makes and exports spans. Loaded by preload.cjs, and only where a collector is named: it costs some 10 MiB.
const { readFileSync } = require("node:fs");
const https = require("node:https");
const { trace } = require("@opentelemetry/api");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-http");
const { GrpcInstrumentation } = require("@opentelemetry/instrumentation-grpc");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchSpanProcessor, ParentBasedSampler, TracerProvider } = require("@opentelemetry/sdk-trace");
const { AlwaysOffSampler, AlwaysOnSampler } = require("@opentelemetry/sdk-trace");
const { edgeSampler } = require("./edge-sampler.cjs");

// A trace is looked at soon after the fact; a second's spans make one request.
const EXPORT_EVERY_MS = 1_000;
const EXPORT_LIMIT_MS = 5_000;
const WAITING_LIMIT = 8_192;

/**
 * Registers a tracer whose spans go to a collector: OTLP over HTTP, as JSON. A collector behind mutual TLS is shown
 * this process's certificate.
 *
 * The edge decides which traces are kept; behind it a span is made where the traceparent says so and nowhere else, so
 * that a trace is whole or not there.
 *
 * @param {NodeJS.ProcessEnv} env - ORRERY_OTLP_URL; ORRERY_IDENTITY_FILE and ORRERY_CA_FILE with https;
 *   ORRERY_TRACES_PER_SECOND at the edge, and ORRERY_TRACE_RATIO of what is beyond
 */
function exportSpans(env) {
  const exporter = new OTLPTraceExporter({
    url: env.ORRERY_OTLP_URL,
    timeoutMillis: EXPORT_LIMIT_MS,
    ...(env.ORRERY_OTLP_URL.startsWith("https:") && env.ORRERY_IDENTITY_FILE
      ? { httpAgentOptions: () => new IdentityAgent(env.ORRERY_IDENTITY_FILE, env.ORRERY_CA_FILE) }
      : {}),
  });
  const limited = limitedSampler(env);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": env.ORRERY_SERVICE ?? "orrery",
      "service.instance.id": env.ORRERY_INSTANCE ?? "unnamed",
    }),
    sampler: samplerOf(limited),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        scheduledDelayMillis: EXPORT_EVERY_MS,
        exportTimeoutMillis: EXPORT_LIMIT_MS,
        maxQueueSize: WAITING_LIMIT,
      }),
    ],
  });
  // The edge asks for it before it makes a span, and finds it where the tracer is registered: see trace-budget.ts.
  if (limited !== undefined) provider.wouldDrop = limited.wouldDrop;
  trace.setGlobalTracerProvider(provider);
  // Enables itself, and takes the provider registered above.
  new GrpcInstrumentation();
}

/** The limit of the edge; undefined behind it. */
function limitedSampler({ ORRERY_TRACES_PER_SECOND, ORRERY_TRACE_RATIO }) {
  if (!ORRERY_TRACES_PER_SECOND) return undefined;
  return edgeSampler({
    perSecond: Number(ORRERY_TRACES_PER_SECOND),
    ratio: Number(ORRERY_TRACE_RATIO ?? 0),
  });
}

function samplerOf(limited) {
  // A caller from outside may ask for a trace, and gets one within the same limit.
  if (limited !== undefined) return new ParentBasedSampler({ root: limited, remoteParentSampled: limited });
  return new ParentBasedSampler({
    root: new AlwaysOffSampler(),
    remoteParentSampled: new AlwaysOnSampler(),
  });
}

/** Reads the identity anew for each connection, so that a leaf that was replaced is shown from then on. */
class IdentityAgent extends https.Agent {
  #identityFile;
  #caFile;

  constructor(identityFile, caFile) {
    // A session that is resumed would go on under the leaf that it began with.
    super({ keepAlive: true, maxSockets: 2, maxCachedSessions: 0 });
    this.#identityFile = identityFile;
    this.#caFile = caFile;
  }

  createConnection(options, callback) {
    const bundle = readFileSync(this.#identityFile);
    const ca = this.#caFile ? readFileSync(this.#caFile) : undefined;
    return super.createConnection({ ...options, key: bundle, cert: bundle, ca }, callback);
  }
}

module.exports = { exportSpans, IdentityAgent };
