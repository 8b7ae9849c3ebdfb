import { type Command, Option } from "commander";
import type { FollowFlags } from "../commands/follow-job.ts";
import type { ListFlags } from "../commands/paged-list.ts";
import type { SubmitFlags } from "../commands/submit-job.ts";
import { type Built, chosenFields, repeatable, withSession } from "./session-command.ts";

const JOB_ORDERS = "createTime, priority, startTime or endTime";

/** The flags of every searched list that asks for its query. */
export const searchFlags = (command: Command, example: string, orders: string): Command =>
  pageFlags(command.option("-q, --query <query>", `such as '${example}'`), orders);

function pageFlags(command: Command, orders: string): Command {
  return chosenFields(command)
    .option("--order-by <field>", `${orders}, with asc or desc`)
    .addOption(new Option("--limit <count>", "at most so many, 1 to 10,000").default("50", "50"))
    .option("--cursor <token>", "begin at a page: the nextPageToken of an answer before")
    .option("--max-lag <duration>", "fail with 9 where the read model is further behind")
    .option("--watch", "go on with what happens to them");
}

/** `orrery job …` */
export function addJobCommands(job: Command, built: Built): void {
  withSession<SubmitFlags>(
    submitFlags(job.command("submit <task>").description("submit a job and print its id")),
    built,
    async (session, [task = ""], flags) =>
      (await import("../commands/submit-job.ts")).submitJob(session, task, flags),
  );
  const run = submitFlags(job.command("run <task>").description("submit a job, follow it, print its output"));
  withSession<SubmitFlags & FollowFlags>(
    run.option("--wait <duration>", "how long to wait for its end"),
    built,
    async (session, [task = ""], flags) =>
      (await import("../commands/follow-job.ts")).runJob(session, task, flags),
  );
  withSession<FollowFlags>(
    job
      .command("watch <id>")
      .description("follow a job to its end")
      .option("--wait <duration>", "how long to wait"),
    built,
    async (session, [id = ""], flags) =>
      (await import("../commands/follow-job.ts")).watchJob(session, id, flags),
  );
  withSession<ListFlags>(
    searchFlags(
      job.command("ls").alias("list").description("search jobs"),
      "status:failed task:video.* created:>-2h",
      JOB_ORDERS,
    ),
    built,
    async (session, _args, flags) => (await import("../commands/show-job.ts")).listJobs(session, flags),
  );
  addReads(job, built);
  for (const verb of ["cancel", "retry"] as const) {
    const command = job
      .command(`${verb} <ids...>`)
      .description(`${verb} jobs`)
      .option("--reason <text>", "why, for the record");
    withSession<{ reason?: string }>(command, built, async (session, ids, flags) =>
      (await import("../commands/change-job.ts")).changeAll(session, { noun: "jobs", verb }, ids, flags),
    );
  }
}

function addReads(job: Command, built: Built): void {
  withSession<{ current?: boolean }>(
    chosenFields(job.command("get <id>").alias("show").description("show a job")).option(
      "--current",
      "from the store, not from the read model",
    ),
    built,
    async (session, [id = ""], flags) =>
      (await import("../commands/show-job.ts")).showJob(session, id, flags),
  );
  withSession(
    job.command("open <id>").description("open a job's page, and print its address"),
    built,
    async (session, [id = ""]) => (await import("../commands/open-job.ts")).openJob(session, id),
  );
  withSession(
    chosenFields(job.command("attempts <id>").description("list a job's attempts")),
    built,
    async (session, [id = ""]) => (await import("../commands/show-job.ts")).listAttempts(session, id),
  );
  withSession(
    chosenFields(job.command("events <id>").description("list a job's history")),
    built,
    async (session, [id = ""]) => (await import("../commands/show-job.ts")).listEvents(session, id),
  );
  withSession(
    job.command("trace <id>").description("draw a job's trace, from its request to its projection"),
    built,
    async (session, [id = ""]) => (await import("../commands/show-trace.ts")).showTrace(session, "jobs", id),
  );
}

/** `orrery search …` */
export function addSearch(program: Command, built: Built): void {
  const search = program.command("search <query...>").description("search jobs: the same as job ls -q");
  withSession<ListFlags>(pageFlags(search, JOB_ORDERS), built, async (session, words, flags) =>
    (await import("../commands/show-job.ts")).listJobs(session, { ...flags, query: words.join(" ") }),
  );
}

function submitFlags(command: Command): Command {
  return command
    .option("-i, --input <json>", "the input: JSON, @file, or - for standard input")
    .addOption(repeatable("--set <path=value>", "sets one field of the input, such as a.b=1"))
    .option("--queue <queue>", "the queue; default unless set")
    .option("--priority <0-9>", "the higher first")
    .option("--max-attempts <count>", "1 to 100; 5 unless set")
    .option("--timeout <duration>", "how long each attempt may take")
    .option("--delay <duration>", "how long to wait before it may run, such as 5m")
    .option("--run-time <time>", "when it may run first (RFC 3339)")
    .option("--expire-time <time>", "when it has to have ended (RFC 3339)")
    .addOption(repeatable("--label <key=value>", "a label"))
    .addOption(repeatable("--tag <key=value>", "the same as --label"))
    .option("--concurrency-key <key>", "jobs with the same key share the queue's limit")
    .option("--idempotency-key <key>", "the same key submits the same job once")
    .option("--dry-run", "print the request and send nothing");
}
