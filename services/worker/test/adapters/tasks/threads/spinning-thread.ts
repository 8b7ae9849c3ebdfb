// A thread whose handler computes without a pause, or dies, as its input says.
import { parentPort } from "node:worker_threads";
import type { ToThread } from "../../../../src/adapters/tasks/task-messages.ts";

parentPort?.on("message", (message: ToThread) => {
  if (message.kind !== "start") return;
  for (const { jobId, leaseEpoch, inputJson } of message.attempts) {
    if (inputJson === '"die"') throw new Error("died as asked");
    if (inputJson === '"spin"') for (;;);
    const end = { kind: "succeeded", outputJson: inputJson } as const;
    parentPort?.postMessage({ kind: "ended", results: [{ jobId, leaseEpoch, end }] });
  }
});
parentPort?.postMessage({ kind: "ready" });
