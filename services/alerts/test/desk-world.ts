import { fileURLToPath } from "node:url";
import { create, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { AlertsService } from "@orrery/contracts/gen/orrery/alerts/v1/alerts_service_pb.js";
import type { InboxReply } from "@orrery/mesh/health/admin-inbox";
import type { Pool } from "@orrery/mesh/postgres/pool";
import { createMetrics, type Metrics } from "@orrery/mesh/telemetry/metrics";
import { onlyDeclared } from "@orrery/mesh/testing/declared-reasons";
import { quietLogger } from "@orrery/mesh/testing/quiet-logger";
import { testDatabase } from "@orrery/mesh/testing/test-database";
import { systemClock } from "@orrery/mesh/time/clock";
import type { Call } from "@orrery/mesh/transport/route";
import { createDesk, type Desk } from "../src/desk.ts";
import { aWebhook } from "./alert-factory.ts";

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

type Methods = typeof AlertsService.method;
type Rpc = keyof Methods;

/** A row of `alert` with what tests look at. */
export interface StoredAlert {
  readonly id: string;
  readonly fingerprint: string;
  readonly status: string;
  readonly version: number;
  readonly note: string;
  readonly start_time: number;
  readonly end_time: number | null;
}

/** The keeping of alerts on a database of its own, called as its webhook and its RPCs are. */
export interface DeskWorld extends AsyncDisposable {
  readonly pool: Pool;
  readonly metrics: Metrics;
  /** Posts a webhook with some alerts. */
  post(alerts: readonly unknown[]): Promise<InboxReply>;
  /** Posts a body as it is. */
  postRaw(body: string): Promise<InboxReply>;
  /** Calls an RPC as `ann` of project `demo`. */
  ask<K extends Rpc>(
    rpc: K,
    request: MessageInitShape<Methods[K]["input"]>,
    project?: string,
  ): Promise<MessageShape<Methods[K]["output"]>>;
  /** All alerts, by their start. */
  alerts(): Promise<readonly StoredAlert[]>;
  /** The events of an alert, in order, without the word Alert. */
  sequence(id: string): Promise<readonly string[]>;
  /** Runs SQL as the superuser, who may do what the service may not. */
  asOwner<R>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** Another replica on the same database. */
  replica(how?: Comparing): DeskWorld;
}

/** Whom a replica compares itself with. */
export interface Comparing {
  readonly alertmanagerUrl?: string;
  readonly settledMs?: number;
}

/** Starts one for one test, and stops it with the test. */
export async function deskWorld(): Promise<DeskWorld> {
  const database = await testDatabase({ migrations: MIGRATIONS, name: "alerts", roles: ["alerts"] });
  const scope = new AsyncDisposableStack();
  scope.use(database);
  return open(scope, (role) => database.openPool(4, role === undefined ? {} : { role }));
}

function open(
  scope: AsyncDisposableStack,
  openPool: (role?: string) => Pool,
  { alertmanagerUrl, ...settled }: Comparing = {},
): DeskWorld {
  const stop = new AbortController();
  const pool = openPool("alerts");
  const owner = openPool();
  const metrics = createMetrics({ service: "alerts", defaults: false });
  const desk = createDesk({
    pool,
    instance: "alerts-test",
    version: "0.1.0",
    alertmanagerUrl,
    ...settled,
    clock: systemClock,
    logger: quietLogger,
    metrics,
    signal: stop.signal,
    onCommit: () => undefined,
  });
  scope.defer(async () => {
    stop.abort();
    await desk.close();
  });
  const inbox = Object.values(desk.inboxes)[0];
  const postRaw = async (body: string): Promise<InboxReply> => {
    if (inbox === undefined) throw new Error("there is no webhook");
    return inbox.take(Buffer.from(body));
  };
  const asOwner = <R>(text: string, values: readonly unknown[] = []): Promise<R[]> =>
    owner.query<R>({ name: `test.${text}`.slice(0, 60), text }, values);
  return {
    pool,
    metrics,
    postRaw,
    post: (alerts) => postRaw(JSON.stringify(aWebhook(alerts))),
    ask: (rpc, request, project = "demo") => call(desk, rpc, request, project) as never,
    alerts: () =>
      asOwner<StoredAlert>(
        "select id, fingerprint, status, version, note, start_time, end_time from alert order by start_time, id",
      ),
    sequence: async (id) => {
      const text = "select event_type from outbox where aggregate_id = $1 order by version";
      const rows = await asOwner<{ event_type: string }>(text, [id]);
      return rows.map(({ event_type }) => event_type.slice(event_type.lastIndexOf(".Alert") + 6));
    },
    asOwner,
    replica: (how) => open(scope, openPool, how),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

function call(desk: Desk, rpc: Rpc, request: unknown, project: string): Promise<unknown> {
  const method = AlertsService.method[rpc];
  const route = desk.routes.find(({ service }) => service.typeName === AlertsService.typeName);
  const handler = (route && onlyDeclared(route))?.handler(rpc) as (
    request: unknown,
    call: Call,
  ) => Promise<object>;
  return handler(create(method.input, request as never), callAs(rpc, project)).then((answer) =>
    create(method.output, answer as never),
  );
}

const callAs = (rpc: Rpc, project: string): Call => ({
  method: AlertsService.method[rpc],
  caller: "gateway",
  onBehalf: { project, principal: "ann", scopes: ["admin"] },
  correlationId: "correlation-1",
  traceparent: TRACEPARENT,
  signal: new AbortController().signal,
  deadlineMs: undefined,
  remainingMs: (capMs) => capMs,
  header: () => undefined,
  accept: () => undefined,
});
