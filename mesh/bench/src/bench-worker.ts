import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import type { Lease } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { WorkRequestSchema, WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { loadIdentity } from "../../chassis/src/identity/identity-files.ts";
import { createLogger } from "../../chassis/src/telemetry/logger.ts";
import { createGrpcTransport } from "../../chassis/src/transport/grpc-client.ts";
import type { RunFile } from "../../dev/testing/platform.ts";

type Said = MessageInitShape<typeof WorkRequestSchema>;

/** How many leases it is ahead by: enough that a batch is always on its way while another is reported. */
const CREDIT = 2_000;

/**
 * A worker that does nothing, over the same stream that every worker uses: what it reaches is the engine's own speed.
 *
 * @param options.onLease - called for each job, when a handler would begin
 */
export async function runBenchWorker(options: {
  run: RunFile;
  task: string;
  queue: string;
  onLease: (lease: Lease) => void;
}): Promise<AsyncDisposable> {
  await using scope = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "orrery-bench-"));
  scope.defer(() => rmSync(folder, { recursive: true, force: true }));
  const transport = createGrpcTransport({
    workload: "jobs",
    addresses: (options.run.services.jobs ?? []).map(({ grpc }) => addressOf(grpc)),
    identity: scope.use(await loadIdentity(identityOf(options.run, folder))),
  });
  scope.defer(() => transport.close());
  const ending = new AbortController();
  scope.defer(() => ending.abort());
  void work(createClient(WorkService, transport), options, ending.signal);
  return scope.move();
}

async function work(
  client: ReturnType<typeof createClient<typeof WorkService>>,
  { task, queue, onLease }: { task: string; queue: string; onLease: (lease: Lease) => void },
  signal: AbortSignal,
): Promise<void> {
  const outbox = new Outbox();
  outbox.say({
    message: { case: "register", value: { worker: "bench", tasks: [task], queues: [queue], slots: CREDIT } },
  });
  outbox.say({ message: { case: "credit", value: { jobs: CREDIT } } });
  try {
    for await (const { message } of client.work(outbox, { signal })) {
      if (message.case !== "leases") continue;
      const { leases } = message.value;
      leases.forEach(onLease);
      for (let at = 0; at < leases.length; at += 500) {
        const results = leases.slice(at, at + 500).map(({ jobId, leaseEpoch }) => ({ jobId, leaseEpoch }));
        outbox.say({ message: { case: "complete", value: { results } } });
      }
      outbox.say({ message: { case: "credit", value: { jobs: leases.length } } });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Messages that wait to be sent, as the async iterable that a stream reads. */
class Outbox implements AsyncIterable<Said> {
  readonly #waiting: Said[] = [];
  #wake: (() => void) | undefined;

  say(message: Said): void {
    this.#waiting.push(create(WorkRequestSchema, message));
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Said> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) yield message;
      else await new Promise<void>((done) => (this.#wake = done));
    }
  }
}

function identityOf(run: RunFile, folder: string) {
  const files = run.identities.worker;
  if (files === undefined) throw new Error("no identity worker in run.json");
  const identityFile = join(folder, "worker.pem");
  writeFileSync(identityFile, readFileSync(files.keyFile, "utf8") + readFileSync(files.certFile, "utf8"), {
    mode: 0o600,
  });
  return {
    identityFile,
    caFile: run.caFile,
    logger: createLogger({ service: "bench", instance: "bench", level: "error" }),
  };
}

function addressOf(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}
