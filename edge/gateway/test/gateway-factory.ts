import { createHash } from "node:crypto";
import type { DescService } from "@bufbuild/protobuf";
import { afterAll, beforeAll } from "@jest/globals";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { QueuesService } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import type { Address } from "@orrery/mesh/config/read-config";
import { Fault } from "@orrery/mesh/fault/fault";
import { createHealth } from "@orrery/mesh/health/health";
import { type Authority, createAuthority, issueLeaf } from "@orrery/mesh/identity/dev-ca";
import type { IdentityFiles } from "@orrery/mesh/identity/identity-files";
import { createLogger } from "@orrery/mesh/telemetry/logger";
import { createMetrics, type Metrics } from "@orrery/mesh/telemetry/metrics";
import { quietLogger } from "@orrery/mesh/testing/quiet-logger";
import { systemClock } from "@orrery/mesh/time/clock";
import { createGrpcTransport } from "@orrery/mesh/transport/grpc-client";
import { type GrpcServer, listenGrpc } from "@orrery/mesh/transport/grpc-server";
import { type Implementation, type Route, serve } from "@orrery/mesh/transport/route";
import { parseKeyFile } from "../src/auth/key-file.ts";
import type { Caller, KeyStore } from "../src/auth/key-store.ts";
import type { RateLimit } from "../src/auth/rate-limiter.ts";
import { type Gateway, startGateway } from "../src/server.ts";

const ANY_PORT: Address = { host: "127.0.0.1", port: 0 };
const LEAF_MS = 3_600_000;

/** The services behind a gateway, as far as a test gives them; what it leaves out answers UNIMPLEMENTED. */
export interface FakeServices {
  readonly jobs?: Partial<Implementation<typeof JobsService>>;
  readonly work?: Partial<Implementation<typeof WorkService>>;
  readonly queues?: Partial<Implementation<typeof QueuesService>>;
  readonly observatory?: Partial<Implementation<typeof ObservatoryService>>;
}

/** Keys that the gateway of a test knows, by their secret. */
export const KEYS = {
  all: "orr_all",
  other: "orr_other",
  read: "orr_read",
  second: "orr_second",
} as const;

/** The header that tells a key. */
export const auth = (key: keyof typeof KEYS = "all") => ({ authorization: `Bearer ${KEYS[key]}` });

/** A gateway between a test and services that really speak gRPC over mutual TLS. */
export interface TestBed extends AsyncDisposable {
  readonly gateway: Gateway;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The authority that the gRPC port's certificate is checked against. */
  readonly caPem: string;
  readonly metrics: Metrics;
  /** What the gateway logged, parsed. */
  readonly lines: Record<string, unknown>[];
  /** Stops the jobs service, as a kill would. */
  stopJobs(): Promise<void>;
  setReady(ready: boolean): void;
}

export const PUBLIC_URL = "https://edge.example";

export async function startTestBed(
  services: FakeServices,
  options: { rateLimit?: RateLimit; reflection?: boolean } = {},
): Promise<TestBed> {
  const authority = await createAuthority({ clock: systemClock });
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    service: "gateway",
    instance: "gateway-0",
    level: "debug" as const,
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const metrics = createMetrics({ service: "gateway", defaults: false });
  const jobs = await listenService("jobs", authority, [
    serve(JobsService, completed(JobsService, services.jobs)),
    serve(WorkService, completed(WorkService, services.work)),
    serve(QueuesService, completed(QueuesService, services.queues)),
  ]);
  const observatory = await listenService("observatory", authority, [
    serve(ObservatoryService, completed(ObservatoryService, services.observatory)),
  ]);
  const identity = await identityOf(authority, "gateway");
  const transports = [jobs, observatory].map(({ workload, server }) =>
    createGrpcTransport({ workload, addresses: [server.address], identity, metrics }),
  );
  const [toJobs, toObservatory] = transports;
  if (toJobs === undefined || toObservatory === undefined) throw new Error("a transport is missing");
  const health = createHealth({ logger: quietLogger });
  health.started();
  const gateway = await startGateway({
    http: ANY_PORT,
    edgeGrpc: ANY_PORT,
    publicUrl: PUBLIC_URL,
    jobsReplicas: 1,
    clock: systemClock,
    keys: testKeys(),
    identity,
    logger,
    metrics,
    reflection: options.reflection ?? true,
    rateLimit: options.rateLimit ?? { requests: 50_000, windowMs: 1_000 },
    upstreams: new Map([
      ["jobs", toJobs],
      ["observatory", toObservatory],
    ]),
    health,
  });
  return {
    gateway,
    metrics,
    lines,
    caPem: authority.certPem,
    url: `http://127.0.0.1:${gateway.http.port}`,
    stopJobs: () => jobs.server.drain(0),
    setReady: (ready) => (ready ? health.started() : health.stopping()),
    [Symbol.asyncDispose]: async () => {
      await gateway.drain(500);
      await Promise.all(transports.map((transport) => transport.close()));
      await Promise.all([jobs.server.drain(0), observatory.server.drain(0)]);
    },
  };
}

/** One test bed for all tests of a file, or of a group of them, from before the first to after the last. */
export function sharedTestBed(services: FakeServices): () => TestBed {
  let bed: TestBed | undefined;
  beforeAll(async () => {
    bed = await startTestBed(services);
  });
  afterAll(async () => bed?.[Symbol.asyncDispose]());
  return () => {
    if (bed === undefined) throw new Error("the test bed is there for tests and hooks alone");
    return bed;
  };
}

async function listenService(
  workload: string,
  authority: Authority,
  routes: readonly Route[],
): Promise<{ workload: string; server: GrpcServer }> {
  const logger = quietLogger;
  const health = createHealth({ logger });
  health.started();
  const server = await listenGrpc({
    routes,
    health,
    logger,
    identitySource: "tls" as const,
    reflection: false,
    address: ANY_PORT,
    identity: await identityOf(authority, workload),
    metrics: createMetrics({ service: workload, defaults: false }),
  });
  return { workload, server };
}

async function identityOf(authority: Authority, workload: string): Promise<IdentityFiles> {
  const leaf = await issueLeaf(
    authority,
    { commonName: workload, workload },
    { clock: systemClock, lifetimeMs: LEAF_MS },
  );
  return {
    current: () => ({ ...leaf, caPem: authority.certPem }),
    onChange: () => () => {},
    [Symbol.dispose]: () => {},
  };
}

function completed<S extends DescService>(
  service: S,
  given: Partial<Implementation<S>> | undefined,
): Implementation<S> {
  const missing = () => {
    throw new Fault("UNIMPLEMENTED", { detail: "the test does not serve this" });
  };
  const all = Object.fromEntries(service.methods.map((method) => [method.localName, missing]));
  return { ...all, ...given } as Implementation<S>;
}

function testKeys(): KeyStore {
  const key = (id: string, project: string, scopes: Caller["scopes"]) => ({
    id,
    project,
    scopes,
    sha256: createHash("sha256").update(`orr_${id}`).digest("hex"),
  });
  return parseKeyFile(
    JSON.stringify({
      keys: [
        key("all", "demo", ["read", "submit", "work", "admin"]),
        key("other", "demo", ["read", "submit", "work", "admin"]),
        key("read", "demo", ["read"]),
        key("second", "second", ["read", "submit", "work", "admin"]),
      ],
    }),
  );
}
