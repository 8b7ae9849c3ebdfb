import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createAdminInboxes } from "../../src/health/admin-inbox.ts";
import { listenAdmin } from "../../src/health/admin-server.ts";
import { createHealth } from "../../src/health/health.ts";
import type { IdentityFiles } from "../../src/identity/identity-files.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { silent, testIdentities } from "../identity/test-identities.ts";

const LIMIT_BYTES = 1_000;

interface Answer {
  readonly status: number;
  readonly body: string;
}

const scope = new AsyncDisposableStack();
const metrics = createMetrics({ service: "echo", defaults: false });
const noted: string[] = [];
const taken: string[] = [];
let port: number;
let ca: string;
let sender: IdentityFiles;
let others: readonly (IdentityFiles | undefined)[];

beforeAll(async () => {
  const identities = scope.use(await testIdentities());
  const foreign = scope.use(await testIdentities());
  ca = identities.authority.certPem;
  sender = await identities.of("sender");
  others = [undefined, await identities.of("operator"), await foreign.of("sender")];
  const logger = { ...silent, security: (event: string) => void noted.push(event) };
  const inboxes = createAdminInboxes({ logger, metrics });
  inboxes.add({
    "/inbox": {
      from: ["sender"],
      limitBytes: LIMIT_BYTES,
      take: async (body) => {
        const text = body.toString();
        if (text === "defect") throw new Error("the store is away");
        taken.push(text);
        return { status: 200, text: `${body.length} taken` };
      },
    },
  });
  const admin = await listenAdmin({
    address: { host: "127.0.0.1", port: 0 },
    health: scope.use(createHealth({ logger: silent })),
    metrics,
    inboxes,
    identitySource: "tls",
    identity: await identities.of("echo"),
  });
  scope.defer(() => admin.close());
  port = admin.address.port;
});
afterAll(async () => scope.disposeAsync());

function post(
  path: string,
  body: string,
  how: { identity?: IdentityFiles | undefined; chunked?: boolean; method?: string } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { keyPem, certPem } = how.identity?.current() ?? {};
  const shown = keyPem === undefined ? {} : { key: keyPem, cert: certPem };
  const headers = how.chunked ? {} : { "content-length": Buffer.byteLength(body) };
  const { method = "POST" } = how;
  const sent = request(
    { host: "localhost", port, path, ca, agent: false, method, headers, ...shown },
    (response) => {
      let text = "";
      response.on("data", (part: Buffer) => (text += part.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    },
  ).on("error", reject);
  if (how.chunked) sent.flushHeaders();
  sent.end(body);
  return promise;
}

describe("an inbox of the admin port", () => {
  test("takes what the sender on its list posts, up to its limit", async () => {
    const most = "x".repeat(LIMIT_BYTES);
    expect(await post("/inbox", most, { identity: sender })).toEqual({ status: 200, body: "1000 taken\n" });
    expect(await post("/inbox", most, { identity: sender, chunked: true })).toMatchObject({ status: 200 });
    expect(taken.splice(0)).toEqual([most, most]);
  });

  test("refuses everyone else, and counts and notes it for security", async () => {
    for (const identity of others) {
      expect(await post("/inbox", "hello", { identity })).toEqual({ status: 403, body: "forbidden\n" });
    }
    expect(taken).toEqual([]);
    expect(noted).toEqual(others.map(() => "policy.caller_refused"));
    expect(await metrics.registry.getSingleMetricAsString("orrery_policy_denied_total")).toContain(
      '{rpc_service="_admin",method="/inbox",service="echo"} 3',
    );
  });

  test.each([false, true])("refuses a body over its limit, chunked: %s", async (chunked) => {
    const body = "x".repeat(LIMIT_BYTES + 1);
    expect(await post("/inbox", body, { identity: sender, chunked })).toMatchObject({ status: 413 });
    expect(taken).toEqual([]);
  });

  test("has the sender come back when it could not take a body", async () => {
    expect(await post("/inbox", "defect", { identity: sender })).toMatchObject({ status: 503 });
    expect(await post("/inbox", "again", { identity: sender })).toMatchObject({ status: 200 });
    expect(taken.splice(0)).toEqual(["again"]);
  });

  test("is a POST at its own path, and nothing else", async () => {
    expect(await post("/inbox", "", { identity: sender, method: "PUT" })).toMatchObject({ status: 405 });
    expect(await post("/inbox", "", { identity: sender, method: "GET" })).toMatchObject({ status: 404 });
    expect(await post("/metrics", "x", { identity: sender })).toMatchObject({ status: 405 });
    expect(await post("/__proto__", "x", { identity: sender })).toMatchObject({ status: 405 });
  });
});
