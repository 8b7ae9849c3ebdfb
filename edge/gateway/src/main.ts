import { create } from "@bufbuild/protobuf";
import {
  ListQueuesRequestSchema,
  QueuesService,
} from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import type { Address } from "@orrery/mesh/config/read-config";
import { documentPages } from "@orrery/mesh/health/service-documents";
import { loadIdentity } from "@orrery/mesh/identity/identity-files";
import { runService, type ServiceScope } from "@orrery/mesh/lifecycle/service";
import { newTraceparent } from "@orrery/mesh/telemetry/trace";
import { uuidV7 } from "@orrery/mesh/time/clock";
import { callHeaders } from "@orrery/mesh/transport/call";
import { createGrpcTransport, type GrpcTransport } from "@orrery/mesh/transport/grpc-client";
import { openKeyFile } from "./auth/key-file.ts";
import { type GatewayConfig, gatewayConfig } from "./config.ts";
import { startGateway } from "./server.ts";

/** Milliseconds that the jobs service has to answer a look at its readiness. */
const PROBE_MS = 1_000;
/**
 * Whom the edge asks for when it only wants to know whether anybody answers; no key can open this project.
 */
const PROBE_PROJECT = "_edge";

const config = gatewayConfig();
await runService({
  config: config.service,
  start: async (service) => {
    const { scope, health, logger, metrics, clock } = service;
    const jobs = connect(service, "jobs", config.jobs);
    const observatory = connect(service, "observatory", config.observatory);
    const keys = scope.use(openKeyFile({ path: config.keysFile, logger }));
    health.check("jobs", () => askJobs(jobs));
    const gateway = await startGateway({
      keys,
      logger,
      metrics,
      clock,
      rateLimit: config.rateLimit,
      publicUrl: config.publicUrl,
      ...(config.webFolder !== undefined && { webFolder: config.webFolder }),
      ...(config.runbooksFolder !== undefined && { runbooksFolder: config.runbooksFolder }),
      http: config.http,
      edgeGrpc: config.edgeGrpc,
      jobsReplicas: config.jobs.length,
      ...(config.service.identityFile !== undefined && { identity: service.identity }),
      ...(await httpIdentity(config, service)),
      reflection: config.service.reflection,
      upstreams: new Map([
        ["jobs", jobs],
        ["orchestrator", connect(service, "orchestrator", config.orchestrator)],
        ["observatory", observatory],
        ["alerts", connect(service, "alerts", config.alerts)],
      ]),
      health,
    });
    scope.adopt(gateway, (open) => open.drain(config.service.drainMs));
    logger.info("edge open", { http: gateway.http.port, edge_grpc: gateway.edgeGrpc.port });
    return { routes: [], pages: documentPages(() => gateway.openApi) };
  },
});

function connect(service: ServiceScope, workload: string, addresses: readonly Address[]): GrpcTransport {
  const { identitySource, trustDomain } = service.config;
  const ownTls = identitySource === "tls";
  const transport = createGrpcTransport({
    workload,
    addresses,
    trustDomain,
    metrics: service.metrics,
    retry: ownTls,
    identity: ownTls ? service.identity : undefined,
  });
  return service.scope.adopt(transport, (open) => open.close());
}

/**
 * An RPC that reads one empty list: it is answered only where the service and its database both are there.
 */
async function askJobs(jobs: GrpcTransport): Promise<void> {
  const headers = callHeaders({
    onBehalf: { project: PROBE_PROJECT, principal: "gateway", scopes: ["read"] },
    correlationId: uuidV7(),
    traceparent: newTraceparent(),
  });
  await jobs.unary(
    QueuesService.method.listQueues,
    undefined,
    PROBE_MS,
    headers,
    create(ListQueuesRequestSchema),
  );
}

async function httpIdentity({ httpIdentityFile, service }: GatewayConfig, { logger, scope }: ServiceScope) {
  if (httpIdentityFile === undefined) return {};
  // The authorities are read with it and not used: the HTTP port asks nobody for a certificate.
  const caFile = service.caFile ?? httpIdentityFile;
  return { httpIdentity: scope.use(await loadIdentity({ identityFile: httpIdentityFile, caFile, logger })) };
}
