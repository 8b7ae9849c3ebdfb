import { fileURLToPath } from "node:url";
import { create, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import type { QueuesService } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import type { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import type { Pool } from "@orrery/mesh/postgres/pool";
import { createLogger } from "@orrery/mesh/telemetry/logger";
import { createMetrics, type Metrics } from "@orrery/mesh/telemetry/metrics";
import { onlyDeclared } from "@orrery/mesh/testing/declared-reasons";
import { testDatabase } from "@orrery/mesh/testing/test-database";
import { systemChance, systemClock } from "@orrery/mesh/time/clock";
import type { Call, Route } from "@orrery/mesh/transport/route";
import { createEngine, type Engine } from "../src/engine.ts";

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

type Services = typeof JobsService.method & typeof WorkService.method & typeof QueuesService.method;
type Unary = { [K in keyof Services]: Services[K]["methodKind"] extends "unary" ? K : never }[keyof Services];

/** Who a test speaks as. */
export interface As {
  readonly project?: string | undefined;
  readonly principal?: string;
  readonly caller?: string;
  readonly signal?: AbortSignal;
}

/** One engine on a database of its own, called as its RPCs are. */
export interface EngineWorld extends AsyncDisposable {
  readonly pool: Pool;
  readonly metrics: Metrics;
  /** Calls a unary RPC. Everyone is principal `ann` of project `demo` unless said. */
  ask<K extends Unary>(
    rpc: K,
    request: MessageInitShape<Services[K]["input"]>,
    as?: As,
  ): Promise<MessageShape<Services[K]["output"]>>;
  /** Calls a streaming RPC. */
  stream<I, O>(rpc: string, requests: I, as?: As): AsyncIterable<O>;
  /** The facts that a job has been through, without the word Job. */
  sequence(id: string): Promise<string[]>;
  /** Connections of the owner of the tables, who may do what the service may not. */
  administrator(): Pool;
  /** Another replica on the same database. */
  replica(): EngineWorld;
}

/** Starts an engine for one test, and stops it with the test. */
export async function engineWorld(): Promise<EngineWorld> {
  const database = await testDatabase({ migrations: MIGRATIONS, name: "jobs", roles: ["jobs"] });
  const scope = new AsyncDisposableStack();
  scope.use(database);
  return open(scope, (role) => database.openPool(6, role === undefined ? {} : { role }));
}

function open(scope: AsyncDisposableStack, openPool: (role?: string) => Pool): EngineWorld {
  const stop = new AbortController();
  const pool = openPool("jobs");
  const metrics = createMetrics({ service: "jobs", defaults: false });
  const engine: Engine = createEngine({
    commandPool: pool,
    leasePool: openPool("jobs"),
    instance: "jobs-test",
    version: "0.1.0",
    clock: systemClock,
    chance: systemChance,
    logger: createLogger({ service: "jobs", instance: "jobs-test", level: "error" }),
    metrics,
    signal: stop.signal,
    onCommit: () => undefined,
    onReady: () => undefined,
  });
  scope.defer(async () => {
    stop.abort();
    await engine.close();
  });
  return {
    pool,
    metrics,
    ask: async (rpc, request, as) => {
      const { handler, method } = find(engine.routes, rpc);
      const answer = await handler(create(method.input, request as never), callAs(as ?? {}, rpc));
      return create(method.output, answer as never) as never;
    },
    stream: (rpc, requests, as) =>
      find(engine.routes, rpc).handler(requests as never, callAs(as ?? {}, rpc)) as never,
    sequence: async (id) => {
      const text = "select event_type from outbox where aggregate_id = $1 order by version";
      const rows = await pool.query<{ event_type: string }>({ name: "test.sequence", text }, [id]);
      return rows.map(({ event_type }) => event_type.slice(event_type.lastIndexOf(".Job") + 4));
    },
    administrator: () => openPool(),
    replica: () => open(scope, openPool),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

type AnyHandler = (request: unknown, call: Call) => Promise<unknown>;

function find(routes: readonly Route[], rpc: string) {
  const route = routes.find(({ service }) => rpc in service.method);
  const method = route?.service.method[rpc];
  if (route === undefined || method === undefined) throw new Error(`no RPC ${rpc}`);
  return { handler: onlyDeclared(route).handler(rpc) as AnyHandler, method };
}

function callAs({ caller = "gateway", principal = "ann", signal, ...as }: As, rpc: string): Call {
  const project = "project" in as ? as.project : "demo";
  return {
    method: JobsService.method[rpc as keyof typeof JobsService.method] ?? JobsService.method.getJob,
    caller,
    onBehalf:
      project === undefined ? undefined : { project, principal, scopes: ["read", "submit", "work", "admin"] },
    correlationId: "correlation-1",
    traceparent: TRACEPARENT,
    signal: signal ?? new AbortController().signal,
    deadlineMs: undefined,
    remainingMs: (capMs) => capMs,
    header: () => undefined,
    accept: () => undefined,
  };
}
