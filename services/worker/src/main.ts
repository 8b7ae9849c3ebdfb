// The worker that hosts the built-in tasks: streams to the jobs service on one side, threads with handlers on
// the other.
import { createClient } from "@connectrpc/connect";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { runService } from "@orrery/mesh/lifecycle/service";
import { createGrpcTransport } from "@orrery/mesh/transport/grpc-client";
import { keepStreams } from "./adapters/rpc/engine-streams.ts";
import { BUILT_IN_TASK_NAMES } from "./adapters/tasks/built-in-tasks.ts";
import { httpPermission } from "./adapters/tasks/http-permission.ts";
import { TaskPool } from "./adapters/tasks/task-pool.ts";
import { workbenchReport } from "./adapters/telemetry/workbench-report.ts";
import { keepLeases, retire, sweepLeases } from "./application/work-life.ts";
import { Workbench } from "./application/workbench.ts";
import { workerConfig } from "./config.ts";

const config = workerConfig();
httpPermission(config.httpAllow); // an entry that cannot be read stops the start, not the first request

await runService({
  config,
  start: async ({ logger, metrics, identity, clock, chance, health, scope, signal }) => {
    const pool = scope.use(
      new TaskPool({
        threads: config.threads,
        settings: { httpAllow: config.httpAllow },
        listener: (ended) => workbench.ended(ended),
        onDied: (cause) => logger.error("a task thread died and was replaced", { cause: String(cause) }),
      }),
    );
    const report = workbenchReport(logger, metrics);
    const workbench = new Workbench({
      slots: config.slots,
      replicas: config.jobs.length,
      clock,
      runner: pool,
      report,
    });
    // A channel of its own for each replica: a stream has to go to that one, and not to whichever is next.
    const replicas = config.jobs.map((address) => {
      const transport = createGrpcTransport({
        workload: "jobs",
        addresses: [address],
        identity: config.identitySource === "tls" ? identity : undefined,
        trustDomain: config.trustDomain,
        metrics,
      });
      scope.adopt(transport, (open) => open.close());
      return { name: `${address.host}:${address.port}`, client: createClient(WorkService, transport) };
    });
    const registration = { worker: config.instance, tasks: BUILT_IN_TASK_NAMES, slots: config.slots };
    const onEnded = (replica: string, cause: unknown, waitMs: number) =>
      logger.warn("a work stream ended and is opened again", { replica, cause: String(cause), waitMs });

    const over = new AbortController();
    const life = Promise.all([
      keepStreams({ replicas, registration, listener: workbench, clock, chance, onEnded }, over.signal),
      keepLeases(workbench, over.signal),
      sweepLeases(workbench, over.signal),
    ]);
    signal.addEventListener("abort", () => workbench.stopLeasing(), { once: true });
    scope.defer(async () => {
      const released = await retire(workbench, { clock, drainMs: config.workDrainMs });
      logger.info("retired", { released });
      over.abort();
      await life;
    });
    health.check("jobs", () => {
      if (workbench.openLinks === 0) throw new Error("no stream to the jobs service is open");
    });
    return { routes: [] };
  },
});
