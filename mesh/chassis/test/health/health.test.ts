import { get } from "node:https";
import { expect, test } from "@jest/globals";
import { listenAdmin } from "../../src/health/admin-server.ts";
import { createHealth } from "../../src/health/health.ts";
import { documentPages, serviceDocuments } from "../../src/health/service-documents.ts";
import type { IdentityFiles } from "../../src/identity/identity-files.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { silent, testIdentities } from "../identity/test-identities.ts";

test("nothing is ready before its start, while a probe fails or hangs, and after its stop", async () => {
  using health = createHealth({ logger: silent });
  const turns: boolean[] = [];
  health.onChange((ready) => turns.push(ready));
  expect(health.ready()).toBe(false);
  health.started();
  expect(health.ready()).toBe(true);
  let problem: string | undefined = "connection refused";
  health.check(
    "store",
    () => {
      if (problem !== undefined) throw new Error(problem);
    },
    5,
  );
  expect(health.ready()).toBe(false);
  await eventually(() =>
    expect(health.details()).toContainEqual({ name: "store", ok: false, problem: "connection refused" }),
  );
  problem = undefined;
  await eventually(() => expect(health.ready()).toBe(true));
  health.check("hangs", () => new Promise<void>(() => {}));
  expect(health.ready()).toBe(false);
  health.stopping();
  expect(health.details().find(({ name }) => name === "started")).toMatchObject({ problem: "stopping" });
  expect(turns).toEqual([true, false, true, false]);
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

function fetchFrom(port: number, path: string, ca: string, identity?: IdentityFiles): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { keyPem, certPem } = identity?.current() ?? {};
  const shown = keyPem === undefined ? {} : { key: keyPem, cert: certPem };
  get({ host: "localhost", port, path, ca, agent: false, ...shown }, (response) => {
    let body = "";
    response.on("data", (part: Buffer) => (body += part.toString()));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
  }).on("error", reject);
  return promise;
}

test("anyone learns whether it lives and is ready, and only operator and prometheus learn more", async () => {
  await using identities = await testIdentities();
  await using foreign = await testIdentities();
  using health = createHealth({ logger: silent });
  const admin = await listenAdmin({
    address: { host: "127.0.0.1", port: 0 },
    health,
    metrics: createMetrics({ service: "echo" }),
    pages: serviceDocuments("jobs"),
    identitySource: "tls",
    identity: await identities.of("echo"),
  });
  await using _closing = { [Symbol.asyncDispose]: () => admin.close() };
  const ca = identities.authority.certPem;
  const ask = (path: string, identity?: IdentityFiles): Promise<Answer> =>
    fetchFrom(admin.address.port, path, ca, identity);

  for (const path of ["/healthz", "/health/live"]) expect((await ask(path)).status).toBe(200);
  for (const path of ["/readyz", "/health/ready"])
    expect(await ask(path)).toEqual({ status: 503, body: "not ready\n" });
  health.started();
  for (const path of ["/readyz", "/health/ready"])
    expect(await ask(path)).toEqual({ status: 200, body: "ready\n" });

  const guarded = ["/metrics", "/openapi.json", "/docs"];
  const readers = {
    operator: await identities.of("operator"),
    prometheus: await identities.of("prometheus"),
  };
  const others = [undefined, await identities.of("gateway"), await foreign.of("operator")];
  for (const path of guarded) {
    for (const reader of Object.values(readers)) expect((await ask(path, reader)).status).toBe(200);
    for (const other of others) expect((await ask(path, other)).status).toBe(403);
  }
  for (const path of ["/readyz", "/health/ready"]) {
    const details = { ready: true, checks: [{ name: "started", ok: true }] };
    expect(JSON.parse((await ask(path, readers.operator)).body)).toEqual(details);
    for (const other of others) expect(await ask(path, other)).toEqual({ status: 200, body: "ready\n" });
  }
  expect((await ask("/metrics", readers.prometheus)).body).toContain(
    'process_cpu_seconds_total{service="echo"}',
  );
  expect(JSON.parse((await ask("/openapi.json", readers.operator)).body)).toMatchObject({
    openapi: "3.1.0",
    paths: { "/orrery.jobs.v1.JobsService/SubmitJob": { post: { "x-callers": ["gateway"] } } },
  });
  expect((await ask("/docs", readers.operator)).body).toContain("/orrery.jobs.v1.JobsService/SubmitJob");
  expect((await ask("/nothing")).status).toBe(404);
  expect((await ask("/__proto__", readers.operator)).status).toBe(404);
});

test("behind a mesh's proxy the admin port speaks plainly and believes the proxy's word", async () => {
  using health = createHealth({ logger: silent });
  const admin = await listenAdmin({
    address: { host: "127.0.0.1", port: 0 },
    health,
    metrics: createMetrics({ service: "echo", defaults: false }),
    identitySource: "linkerd",
  });
  await using _closing = { [Symbol.asyncDispose]: () => admin.close() };
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`http://127.0.0.1:${admin.address.port}${path}`, { headers })).status;
  const named = (workload: string): Record<string, string> => ({
    "l5d-client-id": `${workload}.orrery.serviceaccount.identity.linkerd.cluster.local`,
  });
  expect(await ask("/healthz")).toBe(200);
  expect(await ask("/metrics")).toBe(403);
  expect(await ask("/metrics", named("gateway"))).toBe(403);
  expect(await ask("/metrics", named("prometheus"))).toBe(200);
});

test("a service that the contracts have no document for serves none", () => {
  expect(serviceDocuments("echo")).toEqual({});
});

test("the page of a document says what can be called, by whom, for how long, and shows no text as markup", () => {
  const document = {
    info: { title: "echo <1>" },
    paths: {
      "/orrery.echo.v1.EchoService/Echo": {
        post: {
          summary: "Says it again & again.",
          "x-kind": "unary",
          "x-callers": ["gateway", "worker"],
          "x-deadline": "2s",
          "x-repeat": "READ",
          "x-reasons": [{ reason: "NOT_FOUND" }],
        },
      },
      "/healthz": { get: {} },
    },
  };
  const page = documentPages(() => JSON.stringify(document))["/docs"]?.body();
  expect(page).toContain("echo &#60;1&#62;");
  expect(page).toContain(
    "<code>/orrery.echo.v1.EchoService/Echo</code></td><td>unary</td><td>gateway, worker</td><td>2s</td>",
  );
  expect(page).toContain("<td>READ</td><td>NOT_FOUND</td><td>Says it again &#38; again.</td>");
  expect(page).toContain("<code>/healthz</code></td><td>GET</td><td></td><td>none</td>");
});
