import type { Command } from "commander";
import type { QueueLimits } from "../commands/queues.ts";
import { type Built, chosenFields, withSession } from "./session-command.ts";

/** `orrery queue …` */
export function addQueueCommands(queue: Command, built: Built): void {
  withSession<{ watch?: boolean }>(
    chosenFields(queue.command("ls").alias("list").description("list queues")).option(
      "--watch",
      "again whenever something happens",
    ),
    built,
    async (session, _args, flags) => (await import("../commands/queues.ts")).listQueues(session, flags),
  );
  for (const verb of ["pause", "resume"] as const) {
    withSession(
      queue.command(`${verb} <queue>`).description(`${verb} a queue`),
      built,
      async (session, [name = ""]) =>
        (await import("../commands/queues.ts")).switchQueue(session, name, verb),
    );
  }
  withSession<QueueLimits>(
    queue
      .command("set <queue>")
      .description("set a queue's limits; 0 takes one away")
      .option("--concurrency <count>", "how many of its jobs run at once")
      .option("--concurrency-per-key <count>", "how many with the same key run at once")
      .option("--rate <count/duration>", "how many start within a time, such as 100/1s"),
    built,
    async (session, [name = ""], flags) =>
      (await import("../commands/queues.ts")).setQueue(session, name, flags),
  );
}

/** `orrery worker …` */
export function addWorkerCommands(worker: Command, built: Built): void {
  withSession<{ watch?: boolean }>(
    chosenFields(worker.command("ls").alias("list").description("list workers")).option(
      "--watch",
      "again whenever something happens",
    ),
    built,
    async (session, _args, flags) => (await import("../commands/watch-list.ts")).listWorkers(session, flags),
  );
}
