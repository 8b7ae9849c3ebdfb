// The thread that handlers run in. It knows no lease and no engine: attempts come in, ends go out.
import { parentPort, workerData } from "node:worker_threads";
import type { AttemptResult } from "../../application/ports.ts";
import { type Attempt, leaseKey } from "../../domain/attempt.ts";
import { runAttempt } from "./attempt-run.ts";
import { builtInTasks, type TaskSettings } from "./built-in-tasks.ts";
import type { ToPool, ToThread } from "./task-messages.ts";

const handlers = builtInTasks(workerData as TaskSettings);
const running = new Map<string, AbortController>();
let ended: AttemptResult[] = [];

const tell = (message: ToPool): void => parentPort?.postMessage(message);

function start(attempt: Attempt): void {
  const stop = new AbortController();
  running.set(leaseKey(attempt), stop);
  void runAttempt(handlers, attempt, stop.signal).then((end) => {
    running.delete(leaseKey(attempt));
    // What ends in the same turn of the loop leaves in one message.
    if (ended.length === 0) setImmediate(tellEnded);
    ended.push({ jobId: attempt.jobId, leaseEpoch: attempt.leaseEpoch, end });
  });
}

function tellEnded(): void {
  const results = ended;
  ended = [];
  tell({ kind: "ended", results });
}

parentPort?.on("message", (message: ToThread) => {
  if (message.kind === "start") message.attempts.forEach(start);
  else for (const lease of message.leases) running.get(leaseKey(lease))?.abort();
});
tell({ kind: "ready" });
