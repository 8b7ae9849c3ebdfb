import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import type { Address } from "../config/read-config.ts";
import type { ServiceConfig } from "../config/service-config.ts";
import { type AdminInbox, createAdminInboxes } from "../health/admin-inbox.ts";
import { type AdminPage, listenAdmin } from "../health/admin-server.ts";
import { createHealth, type Health } from "../health/health.ts";
import { serviceDocuments } from "../health/service-documents.ts";
import { type IdentityFiles, loadIdentity } from "../identity/identity-files.ts";
import { METRIC } from "../telemetry/attributes.ts";
import { exportingProvider, flushTelemetry } from "../telemetry/flush.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { createSilentMetrics } from "../telemetry/silent-metrics.ts";
import { type Chance, type Clock, systemChance, systemClock } from "../time/clock.ts";
import { wait } from "../time/wait.ts";
import { createGrpcTransport, type GrpcTransport } from "../transport/grpc-client.ts";
import { listenGrpc } from "../transport/grpc-server.ts";
import type { Route } from "../transport/route.ts";

/** A workload to be called, and where it is. */
export interface Peer {
  readonly workload: string;
  readonly addresses: readonly Address[];
}

/** What a service stands on while it runs. */
export interface ServiceScope {
  readonly config: ServiceConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Behind a mesh's proxy and without files of its own, reading it throws. */
  readonly identity: IdentityFiles;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly health: Health;
  /** Ends when the process is asked to stop: streams say goodbye, loops end. */
  readonly signal: AbortSignal;
  /** Where the service registers what it has to release: last in, first out, after the calls have drained. */
  readonly scope: AsyncDisposableStack;
  /** A client for a service of another workload. One channel and one breaker for each workload. */
  connect<S extends DescService>(service: S, peer: Peer): Client<S>;
}

/** What a service is made of. */
export interface RunServiceOptions {
  readonly config: ServiceConfig;
  /** Builds the service and says what it serves. What it opens, it registers in `scope`. */
  start(service: ServiceScope): Promise<{
    routes: readonly Route[];
    /** Further pages for the admin port, by path. */
    pages?: Readonly<Record<string, AdminPage>>;
    /** What others post to the admin port, by path. */
    inboxes?: Readonly<Record<string, AdminInbox>>;
  }>;
}

const STACK_FRAMES = 8;
const EXIT_MARGIN_MS = 10_000;

/** Ends when the process is asked to stop: SIGTERM or SIGINT. A second one ends the process at once. */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    process.off("SIGTERM", stop);
    process.off("SIGINT", stop);
    controller.abort();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return controller.signal;
}

/**
 * Runs a service from start to stop.
 *
 * Starts with identity and admin port, then what `start` builds, then the gRPC port; ready when all of that
 * stands and every probe has succeeded. Stops in order: unready, stop accepting, drain to a deadline, what
 * `start` registered (last in, first out), admin port, telemetry. A start that fails is logged, what it had
 * opened is released, and the exit code is 1.
 */
export async function runService(options: RunServiceOptions): Promise<void> {
  const { config } = options;
  // A stack is taken for every fault that becomes a status; its length is a measurable part of a refusal's
  // cost.
  Error.stackTraceLimit = STACK_FRAMES;
  const logger = createLogger({ service: config.service, instance: config.instance, level: config.logLevel });
  const signal = shutdownSignal();
  process.on("uncaughtExceptionMonitor", (error, origin) => {
    logger.error("the process ends by a defect", { error, origin });
  });
  try {
    await using outer = new AsyncDisposableStack();
    outer.defer(() => logger.info("stopped"));
    outer.defer(flushTelemetry);
    await serveUntil(signal, options, logger, outer);
  } catch (failure) {
    logger.error("the service failed", { error: failure });
    process.exitCode = 1;
  }
  // Everything is released; the exporter alone would go on trying to reach a collector that is away.
  if (exportingProvider() !== undefined) process.exit();
}

async function serveUntil(
  signal: AbortSignal,
  options: RunServiceOptions,
  logger: Logger,
  outer: AsyncDisposableStack,
): Promise<void> {
  const { config } = options;
  const metrics = config.metrics ? createMetrics({ service: config.service }) : createSilentMetrics();
  const identity = outer.use(await identityOf(config, logger));
  const health = outer.use(createHealth({ logger }));
  const pages: Record<string, AdminPage> = {};
  const inboxes = createAdminInboxes({ logger, metrics });
  const port = { ...config, address: config.admin, health, metrics, identity, pages, inboxes };
  const admin = await listenAdmin(port);
  outer.defer(() => admin.close());
  showReadiness(metrics, health);
  // Behind a mesh that proves who calls there may be none of our own.
  if (config.identityFile !== undefined) {
    health.check("identity", () => requireCurrent(identity, systemClock));
    showCertificate(metrics, identity, systemClock);
  }
  const scope = outer.use(new AsyncDisposableStack());
  // What was begun waits for the signal to end; after a start that failed nobody else gives it.
  const failed = new AbortController();
  outer.defer(() => failed.abort());
  const connect = connector(config, { metrics, identity, scope });
  const ending = AbortSignal.any([signal, failed.signal]);
  const base = { config, logger, metrics, identity, health, signal: ending, scope, connect };
  const started = await options.start({ ...base, clock: systemClock, chance: systemChance });
  Object.assign(pages, serviceDocuments(config.service), started.pages);
  inboxes.add(started.inboxes ?? {});
  const grpc = await listenGrpc({
    ...config,
    address: config.grpc,
    routes: started.routes,
    health,
    logger,
    metrics,
    identity,
  });
  health.started();
  collectStart();
  logger.info("serving", { grpc: printed(grpc.address), admin: printed(admin.address) });
  await untilAborted(signal);
  logger.info("stopping", { open_calls: grpc.openCalls });
  exitWhenStuck(config, logger);
  health.stopping();
  await wait(config.drainDelayMs);
  await grpc.drain(config.drainMs);
}

async function identityOf(config: ServiceConfig, logger: Logger): Promise<IdentityFiles> {
  const { identityFile, caFile } = config;
  if (identityFile !== undefined && caFile !== undefined)
    return loadIdentity({ identityFile, caFile, logger });
  return {
    current: () => {
      throw new Error("this process has no identity of its own: ORRERY_IDENTITY_FILE is not set");
    },
    onChange: () => () => {},
    [Symbol.dispose]: () => {},
  };
}

function requireCurrent(identity: IdentityFiles, clock: Clock): void {
  const { notAfterMs } = identity.current();
  if (notAfterMs <= clock.nowMs())
    throw new Error(`the certificate ended at ${new Date(notAfterMs).toISOString()}`);
}

function showReadiness(metrics: Metrics, health: Health): void {
  metrics.sampled(
    METRIC.READINESS_CHECK,
    "Whether the last probe of what readiness depends on succeeded: 1 or 0.",
    ["check"],
    (gauge) => {
      for (const { name, ok } of health.details()) gauge.set({ check: name }, ok ? 1 : 0);
    },
  );
}

function showCertificate(metrics: Metrics, identity: IdentityFiles, clock: Clock): void {
  metrics.sampled(
    METRIC.CERTIFICATE_EXPIRY_SECONDS,
    "Seconds until the certificate in use ends; below 0 once it has.",
    [],
    (gauge) => gauge.set((identity.current().notAfterMs - clock.nowMs()) / 1_000),
  );
  metrics.sampled(
    METRIC.CERTIFICATE_LIFETIME_SECONDS,
    "Seconds that the certificate in use is valid for in all.",
    [],
    (gauge) => {
      const { notBeforeMs, notAfterMs } = identity.current();
      gauge.set((notAfterMs - notBeforeMs) / 1_000);
    },
  );
}

// The mesh retries where there is one, so our own hop does not.
function connector(
  config: ServiceConfig,
  base: { metrics: Metrics; identity: IdentityFiles; scope: AsyncDisposableStack },
): ServiceScope["connect"] {
  const transports = new Map<string, GrpcTransport>();
  const ownTls = config.identitySource === "tls";
  const transportTo = ({ workload, addresses }: Peer): GrpcTransport => {
    const known = transports.get(workload);
    if (known !== undefined) return known;
    const made = createGrpcTransport({
      workload,
      addresses,
      identity: ownTls ? base.identity : undefined,
      trustDomain: config.trustDomain,
      metrics: base.metrics,
      retry: ownTls,
    });
    base.scope.adopt(made, (transport) => transport.close());
    transports.set(workload, made);
    return made;
  };
  return (service, peer) => createClient(service, transportTo(peer));
}

// A start leaves as much behind as it keeps, and a young generation grown to its limit, which a service at rest would
// hold for ever: half of its memory. Only processes that are started with `--expose-gc`.
function collectStart(): void {
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

// A handle that somebody forgot must not keep a stopped process alive past what its supervisor waits for.
function exitWhenStuck(config: ServiceConfig, logger: Logger): void {
  const limitMs = config.drainDelayMs + config.drainMs + EXIT_MARGIN_MS;
  const stuck = setTimeout(() => {
    logger.error("the stop took too long", {
      limit_ms: limitMs,
      resources: process.getActiveResourcesInfo(),
    });
    process.exit(1);
  }, limitMs);
  stuck.unref();
}

function printed({ host, port }: Address): string {
  return `${host}:${port}`;
}
