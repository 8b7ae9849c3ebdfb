import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Alert_Status } from "@orrery/contracts/gen/orrery/alerts/v1/alert_pb.js";
import { AlertsService } from "@orrery/contracts/gen/orrery/alerts/v1/alerts_service_pb.js";
import { DEFAULT_TRUST_DOMAIN } from "@orrery/mesh/config/service-config";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { eventually } from "@orrery/mesh/testing/eventually";
import { freePort } from "@orrery/mesh/testing/free-port";
import { type TestDatabase, testDatabase } from "@orrery/mesh/testing/test-database";
import { type TestNats, testNats } from "@orrery/mesh/testing/test-nats";
import { callHeaders } from "@orrery/mesh/transport/call";
import { createGrpcTransport, type GrpcTransport } from "@orrery/mesh/transport/grpc-client";
import { aWebhook, aWebhookAlert } from "./alert-factory.ts";

// The process as it is deployed behind a mesh's proxy, which alone stands between it and its callers:
// identities come in a header, connections are plain.
const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

let database: TestDatabase;
let nats: TestNats;
let service: ChildProcess;
let transport: GrpcTransport;
let alerts: Client<typeof AlertsService>;
let webhook: string;

beforeAll(async () => {
  database = await testDatabase({ migrations: MIGRATIONS, name: "alerts", roles: ["alerts"] });
  nats = await testNats();
  const [grpcPort, adminPort] = [await freePort(), await freePort()];
  webhook = `http://127.0.0.1:${adminPort}/webhooks/alertmanager`;
  service = start(grpcPort, adminPort);
  transport = createGrpcTransport({
    workload: "alerts",
    addresses: [{ host: "127.0.0.1", port: grpcPort }],
    identity: undefined,
  });
  alerts = createClient(AlertsService, transport);
  const ready = async () => expect((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status).toBe(200);
  await eventually(ready, { withinMs: 20_000, everyMs: 100 });
});

afterAll(async () => {
  await transport.close();
  if (service.exitCode === null) {
    const ended = once(service, "exit");
    service.kill("SIGKILL");
    await ended;
  }
  await nats[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function start(grpcPort: number, adminPort: number): ChildProcess {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ORRERY_SERVICE: "alerts",
      ORRERY_INSTANCE: "alerts-0",
      ORRERY_GRPC_ADDRESS: `127.0.0.1:${grpcPort}`,
      ORRERY_ADMIN_ADDRESS: `127.0.0.1:${adminPort}`,
      ORRERY_IDENTITY_SOURCE: "linkerd",
      ORRERY_LOG_LEVEL: "error",
      ORRERY_DATABASE_HOST: database.host,
      ORRERY_DATABASE_PORT: String(database.port),
      ORRERY_DATABASE_NAME: database.database,
      ORRERY_NATS_URL: nats.url,
    },
  });
}

const named = (caller: string) => ({ "l5d-client-id": `${caller}.${DEFAULT_TRUST_DOMAIN}` });

/** The headers of a call by a workload on behalf of somebody. */
function as(caller: string) {
  const onBehalf = { project: "demo", principal: "ann", scopes: ["admin"] };
  return {
    headers: {
      ...callHeaders({ onBehalf, correlationId: "c-1", traceparent: TRACEPARENT }),
      ...named(caller),
    },
  };
}

async function post(body: string, caller = "alertmanager"): Promise<number> {
  const response = await fetch(webhook, { method: "POST", body, headers: named(caller) });
  await response.text();
  return response.status;
}

const hook = (said: Readonly<Record<string, unknown>>) => JSON.stringify(aWebhook([aWebhookAlert(said)]));

/** What the stream holds about one alert, in order. */
async function published(alertId: string): Promise<readonly string[]> {
  const stream = await (await nats.connect()).jetstreamManager();
  const { state } = await stream.streams.info("ORRERY_ALERTS");
  const found: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const { header, subject } = await stream.streams.getMessage("ORRERY_ALERTS", { seq });
    const id = header.get("Nats-Msg-Id");
    if (id.startsWith(alertId)) found.push(`${subject.split(".")[4]} ${id.slice(alertId.length)}`);
  }
  return found;
}

async function idOf(fingerprint: string): Promise<string> {
  const pool = database.openPool(1);
  const text = "select id from alert where fingerprint = $1";
  const [row] = await pool.query<{ id: string }>({ name: "test.id", text }, [fingerprint]);
  return row?.id ?? "";
}

describe("the service as a whole", () => {
  test("takes an alert from Alertmanager's word to its end, and every step to the stream in order", async () => {
    expect(await post(hook({ fingerprint: "whole" }))).toBe(200);
    const id = await idOf("whole");
    const { alert } = await alerts.acknowledgeAlert({ id, note: "on it" }, as("gateway"));
    expect(alert).toMatchObject({ status: Alert_Status.ACKNOWLEDGED, acknowledgedBy: "ann" });
    expect(await post(hook({ fingerprint: "whole", status: "resolved" }))).toBe(200);
    await eventually(async () =>
      expect(await published(id)).toEqual(["AlertFired :1", "AlertAcknowledged :2", "AlertResolved :3"]),
    );
  });

  test("hears nobody but Alertmanager", async () => {
    for (const caller of ["prometheus", "gateway", "operator", ""]) {
      expect([caller, await post(hook({ fingerprint: "forged" }), caller)]).toEqual([caller, 403]);
    }
    expect(await idOf("forged")).toBe("");
  });

  test("is commanded by nobody but the gateway, and refuses by the names of fields", async () => {
    const reason = (call: Promise<unknown>) => call.catch((failure: unknown) => faultFrom(failure));
    const id = "01a1fd6c-2a40-7000-8000-00000000000b";
    for (const caller of ["alertmanager", "worker", "operator"]) {
      const refused = await reason(alerts.acknowledgeAlert({ id }, as(caller)));
      expect([caller, refused]).toEqual([caller, expect.objectContaining({ reason: "CALLER_NOT_ALLOWED" })]);
    }
    const nothing = await reason(alerts.muteAlert({ id: "x" }, as("gateway")));
    expect(nothing).toMatchObject({ reason: "INVALID_REQUEST", fieldViolations: expect.anything() });
    const both = { duration: { seconds: 1n }, untilTime: { seconds: 1n } };
    for (const times of [{}, both]) {
      const refused = await reason(alerts.muteAlert({ id, ...times }, as("gateway")));
      expect(refused).toMatchObject({ fieldViolations: [{ field: "duration" }] });
    }
    const tooLong = await reason(alerts.muteAlert({ id, duration: { seconds: 2_592_001n } }, as("gateway")));
    expect(tooLong).toMatchObject({ fieldViolations: [{ field: "duration" }] });
  });

  test("has Alertmanager come back while the database is away", async () => {
    const away = database.openPool(1);
    const admit = (connections: number) => {
      const text = `alter database ${database.database} connection limit ${connections}`;
      return away.query({ name: `test.admit ${connections}`, text }, []);
    };
    await admit(0); // nobody but the superuser
    const kick =
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'alerts' and datname = $1";
    await away.query({ name: "test.kick", text: kick }, [database.database]);
    expect(await post(hook({ fingerprint: "later" }))).toBe(503);
    await admit(-1);
    const repeated = async () => expect(await post(hook({ fingerprint: "later" }))).toBe(200);
    await eventually(repeated, { withinMs: 20_000, everyMs: 200 });
    expect(await idOf("later")).not.toBe("");
  });

  test("stops with exit code 0", async () => {
    service.kill("SIGTERM");
    const [code] = (await once(service, "exit")) as [number | null];
    expect(code).toBe(0);
  });
});
