import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { QueuesService } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { createHealth } from "@orrery/mesh/health/health";
import { bundleOf, createAuthority, issueLeaf } from "@orrery/mesh/identity/dev-ca";
import { loadIdentity } from "@orrery/mesh/identity/identity-files";
import { createLogger } from "@orrery/mesh/telemetry/logger";
import { createMetrics } from "@orrery/mesh/telemetry/metrics";
import { systemClock, uuidV7 } from "@orrery/mesh/time/clock";
import { listenGrpc } from "@orrery/mesh/transport/grpc-server";
import { serve } from "@orrery/mesh/transport/route";

const dir = "/tmp/gwrun";
mkdirSync(dir, { recursive: true });
const ca = await createAuthority({ clock: systemClock });
writeFileSync(`${dir}/ca.pem`, ca.certPem);
for (const w of ["gateway", "jobs", "operator"])
  writeFileSync(
    `${dir}/${w}.pem`,
    bundleOf(
      await issueLeaf(ca, { commonName: w, workload: w }, { clock: systemClock, lifetimeMs: 3600000 }),
    ),
  );
writeFileSync(
  `${dir}/keys.json`,
  JSON.stringify({
    keys: [
      {
        id: "k",
        sha256: createHash("sha256").update("k").digest("hex"),
        project: "demo",
        scopes: ["read", "submit", "work", "admin"],
      },
    ],
  }),
);
const logger = createLogger({ service: "jobs", instance: "jobs-0", level: "error" });
const health = createHealth({ logger });
health.started();
const no = () => {
  throw new Error("no");
};
let n = 0,
  b = 0;
const all = (s: any, given: any) => ({
  ...Object.fromEntries(s.methods.map((m: any) => [m.localName, no])),
  ...given,
});
await listenGrpc({
  address: { host: "127.0.0.1", port: 4951 },
  health,
  logger,
  metrics: createMetrics({ service: "jobs" }),
  identitySource: "tls",
  identity: await loadIdentity({ identityFile: `${dir}/jobs.pem`, caFile: `${dir}/ca.pem`, logger }),
  reflection: false,
  routes: [
    serve(
      JobsService,
      all(JobsService, {
        submitJobs: async ({ items }: any) => {
          n += items.length;
          b++;
          return {
            outcomes: items.map(({ job, caller }: any) => ({
              result: {
                case: "job",
                value: {
                  id: uuidV7(),
                  project: caller.project,
                  task: job.task,
                  queue: "default",
                  version: 1,
                  status: 2,
                  input: job.input,
                },
              },
            })),
          };
        },
      }),
    ),
    serve(QueuesService, all(QueuesService, { listQueues: async () => ({ queues: [] }) })),
  ],
});
console.log("up");
process.on("SIGTERM", () => {
  console.log({ n, b });
  process.exit(0);
});
