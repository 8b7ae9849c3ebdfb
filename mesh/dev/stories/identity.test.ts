import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getOption } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { AlertsService } from "@orrery/contracts/gen/orrery/alerts/v1/alerts_service_pb.js";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { QueuesService } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import { service as serviceRules } from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { MissionsService } from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";
import { policyOf } from "@orrery/mesh/policy/method-policy";
import { parse } from "yaml";
import { admits, identityOf, resourcesOf } from "../../../contracts/test/policy/policy-evaluator.ts";
import { resolveBinary } from "../src/binaries/resolve.ts";
import { Platform, type RunningProcess } from "../testing/platform.ts";
import { tryEveryPair } from "../testing/policy-pairs.ts";

const surface = parse(readFileSync(new URL("../../../contracts/surface.yaml", import.meta.url), "utf8")) as {
  rpcs: Record<string, string[]>;
  metrics: Record<string, string[]>;
};

/** Which services each process serves, beside health and reflection. */
const SERVED: Readonly<Record<string, readonly string[]>> = {
  jobs: ["orrery.jobs.v1.JobsService", "orrery.jobs.v1.WorkService", "orrery.jobs.v1.QueuesService"],
  orchestrator: ["orrery.orchestrator.v1.MissionsService"],
  observatory: ["orrery.observatory.v1.ObservatoryService"],
  alerts: ["orrery.alerts.v1.AlertsService"],
  worker: [],
};

const SERVICES = [
  JobsService,
  WorkService,
  QueuesService,
  MissionsService,
  ObservatoryService,
  AlertsService,
];

/** The policy of the mesh, as it is deployed. */
const policyFolder = new URL("../../../contracts/policy/", import.meta.url);
const POLICIES = readdirSync(policyFolder)
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => new URL(name, policyFolder));

interface Said {
  readonly code: number;
  readonly text: string;
}

/** Identity and policy, tried from outside with grpcurl, which shares no code with the platform. */
describe("over mutual TLS", () => {
  let platform: Platform;
  let grpcurl: string;
  beforeAll(async () => {
    grpcurl = (await resolveBinary("grpcurl")).path;
    platform = await Platform.start({ ORRERY_LEAF_TTL: "60s" });
  }, 300_000);
  afterAll(async () => platform[Symbol.asyncDispose](), 90_000);

  const ask = (args: readonly string[]): Promise<Said> =>
    new Promise((done) => {
      execFile(grpcurl, ["-connect-timeout", "3", ...args], { timeout: 15_000 }, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : 1, text: stdout + stderr });
      });
    });
  const as = (identity: string): readonly string[] => {
    const { caFile, identities } = platform.run;
    const files = identities[identity];
    if (files === undefined) throw new Error(`no identity ${identity} in run.json`);
    return ["-cacert", caFile, "-cert", files.certFile, "-key", files.keyFile];
  };
  const only = (service: string): RunningProcess => {
    const process = platform.run.services[service]?.[0];
    if (process === undefined) throw new Error(`no ${service} in run.json`);
    return process;
  };

  test.each(Object.entries(SERVED))("%s lists and describes what it serves", async (process, services) => {
    const { grpc } = only(process);
    const listed = (await ask([...as("operator"), grpc, "list"])).text.trim().split("\n");
    expect(listed).toEqual(expect.arrayContaining([...services, "grpc.health.v1.Health"]));
    for (const name of listed) {
      expect([name, await ask([...as("operator"), grpc, "describe", name])]).toEqual([
        name,
        { code: 0, text: expect.stringContaining(name) },
      ]);
    }
    for (const service of services) {
      const { text } = await ask([...as("operator"), grpc, "list", service]);
      expect(text.trim().split("\n").sort()).toEqual(
        surface.rpcs[service]?.map((rpc) => `${service}.${rpc}`).sort(),
      );
    }
    expect((await ask([...as("operator"), grpc, "grpc.health.v1.Health/Check"])).text).toContain("SERVING");
  });

  test("nobody gets in without a certificate, or with one that nobody trusts", async () => {
    const { grpc } = only("jobs");
    expect((await ask(["-cacert", platform.run.caFile, grpc, "list"])).code).toBe(1);
    const folder = mkdtempSync(join(tmpdir(), "orrery-self-signed-"));
    try {
      const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
      const args = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
      ];
      await new Promise((done, failed) => {
        execFile("openssl", [...args, "-keyout", key, "-out", cert, "-subj", "/CN=gateway"], (error) =>
          error ? failed(error) : done(undefined),
        );
      });
      const refused = await ask(["-cacert", platform.run.caFile, "-cert", cert, "-key", key, grpc, "list"]);
      expect(refused.code).toBe(1);
      expect(refused.text).not.toContain("JobsService");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("a caller that is not on the RPC's list is refused, counted and logged", async () => {
    const { grpc, admin } = only("jobs");
    const id = { id: "01890000-0000-7000-8000-000000000000" };
    for (const identity of ["observatory", "operator"]) {
      const protos = ["-import-path", "proto", "-import-path", "proto/vendor"];
      const source = [...protos, "-proto", "orrery/jobs/v1/jobs_service.proto"];
      const call = [...source, "-d", JSON.stringify(id), grpc, "orrery.jobs.v1.JobsService/GetJob"];
      const { text } = await ask([...as(identity), ...call]);
      expect(text).toContain("PermissionDenied");
    }
    const { text: metrics } = await platform.admin(`${admin}/metrics`);
    expect(metrics).toMatch(/orrery_policy_denied_total\{[^}]*method="GetJob"[^}]*\} [2-9]/);
    const logs = readdirSync(join(platform.home, "logs")).filter((name) => name.startsWith("jobs"));
    const logged = logs.map((name) => readFileSync(join(platform.home, "logs", name), "utf8")).join("\n");
    expect(logged).toMatch(/"observatory"/);
  });

  test("a project that comes with a caller who may not speak for one is refused", async () => {
    const forged = ["-H", "orrery-project: demo", "-H", "orrery-principal: x", "-H", "orrery-scopes: read"];
    const { grpc } = only("observatory");
    const call = ["-d", "{}", grpc, "orrery.observatory.v1.ObservatoryService/GetOverview"];
    expect((await ask([...as("worker"), ...forged, ...call])).text).toContain("PermissionDenied");
  });

  test("the edge speaks gRPC with a key, and without a client certificate", async () => {
    const { caFile, edgeGrpc } = platform.run;
    const call = [
      "-d",
      JSON.stringify({ task: "orrery.echo" }),
      edgeGrpc,
      "orrery.jobs.v1.JobsService/SubmitJob",
    ];
    const key = ["-H", `authorization: Bearer ${platform.key()}`];
    expect((await ask(["-cacert", caFile, ...key, edgeGrpc, "list"])).text).toContain("JobsService");
    expect((await ask(["-cacert", caFile, ...key, ...call])).text).toContain('"task": "orrery.echo"');
    expect((await ask(["-cacert", caFile, ...call])).text).toContain("Unauthenticated");
  });

  test("every metric that the surface names is served", async () => {
    await platform.send("POST", "/v1/jobs", {
      body: { task: "orrery.echo" },
      headers: { prefer: "wait=20" },
    });
    for (const [process, names] of Object.entries(surface.metrics)) {
      const { text } = await platform.admin(`${only(process).admin}/metrics`);
      expect([process, names.filter((name) => !text.includes(`# TYPE ${name} `))]).toEqual([process, []]);
    }
  });

  test("leaves are renewed while calls go on, and none of them fails", async () => {
    const before = readFileSync(platform.run.identities.jobs?.certFile ?? "", "utf8");
    const seen = new Set([before]);
    const end = Date.now() + 100_000;
    let calls = 0;
    while (seen.size < 3 && Date.now() < end) {
      const { status } = await platform.send("POST", "/v1/jobs", {
        body: { task: "orrery.echo" },
        headers: { prefer: "wait=20" },
      });
      expect([calls, status]).toEqual([calls, 200]);
      calls += 1;
      seen.add(readFileSync(platform.run.identities.jobs?.certFile ?? "", "utf8"));
    }
    expect(seen.size).toBeGreaterThanOrEqual(3);
  }, 150_000);

  test("every process decides over every caller and RPC as the table and the policy of the mesh do", async () => {
    const manifests = POLICIES.flatMap((file) => resourcesOf(readFileSync(file, "utf8")));
    let tried = 0;
    for (const service of SERVICES) {
      const { workload } = getOption(service, serviceRules);
      for (const { caller, rpc, admitted } of await tryEveryPair(platform.run, workload, service)) {
        const method = service.methods.find(({ name }) => rpc.endsWith(`/${name}`));
        const call = {
          identity: identityOf(caller),
          podLabels: { "app.kubernetes.io/name": workload },
          port: "grpc",
          service: service.typeName,
          method: method?.name ?? "",
        };
        const byTable = method !== undefined && policyOf(method).callers.has(caller);
        expect([caller, rpc, admitted, admits(manifests, call)]).toEqual([caller, rpc, byTable, byTable]);
        tried += 1;
      }
    }
    process.stdout.write(
      `policy: ${tried} pairs of caller and RPC tried with real certificates, all agree\n`,
    );
    expect(tried).toBeGreaterThan(400);
  }, 60_000);
});
