import { Command, Option } from "commander";
import type { CallFlags } from "./commands/call-api.ts";
import type { FollowFlags } from "./commands/follow-job.ts";
import type { ListJobsFlags } from "./commands/list-jobs.ts";
import type { QueueLimits } from "./commands/queues.ts";
import type { SubmitFlags } from "./commands/submit-job.ts";
import type { ExitCode } from "./exit-code.ts";
import { type CommonFlags, openSession, type Session } from "./session.ts";
import type { Surroundings } from "./terminal.ts";

/** Hears the exit code of the one command that ran. */
type Done = (code: ExitCode) => void;

interface Built {
  readonly surroundings: Surroundings;
  readonly done: Done;
}

const COLLECT = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** An option that may be given several times. */
const repeatable = (flags: string, description: string): Option =>
  new Option(flags, `${description}; repeatable`).argParser(COLLECT).default([], "none");

/** All commands. Each loads its own code when it runs, so that the others cost nothing. */
export function programOf(version: string, built: Built): Command {
  const program = new Command("orrery")
    .description("Hands jobs to Orrery and shows what becomes of them.")
    .version(`orrery ${version}`, "-V, --version", "print the version")
    .showSuggestionAfterError(true)
    .showHelpAfterError("fix: --help after a command shows how it is written; options come after the command")
    .addHelpText("after", HELP);
  addJobCommands(program.command("job").alias("jobs").description("submit, follow and change jobs"), built);
  addQueueCommands(
    program.command("queue").alias("queues").description("look at queues and hold them"),
    built,
  );
  const worker = program.command("worker").alias("workers").description("look at workers");
  withSession<{ watch?: boolean }>(
    worker.command("ls").alias("list").option("--watch", "again whenever something happens"),
    built,
    async (session, _args, flags) => (await import("./commands/watch-list.ts")).listWorkers(session, flags),
  );
  addOwnCommands(program, built);
  return program;
}

const HELP = `
Exit codes: 0 done or succeeded, 1 unexpected, 2 usage or invalid input, 3 not found, 4 not authorised,
5 the job did not succeed, 8 still pending, 9 unreachable or too far behind, 10 conflict, 130 interrupted.
The platform: --url and --key-file after the command, or ORRERY_URL and ORRERY_API_KEY_FILE, or
.orrery/run.json.`;

function addJobCommands(job: Command, built: Built): void {
  withSession<SubmitFlags>(
    submitFlags(job.command("submit <task>").description("submit a job and print its id")),
    built,
    async (session, [task = ""], flags) =>
      (await import("./commands/submit-job.ts")).submitJob(session, task, flags),
  );
  const run = submitFlags(job.command("run <task>").description("submit a job, follow it, print its output"));
  withSession<SubmitFlags & FollowFlags>(
    run.option("--wait <duration>", "how long to wait for its end"),
    built,
    async (session, [task = ""], flags) =>
      (await import("./commands/follow-job.ts")).runJob(session, task, flags),
  );
  withSession<FollowFlags>(
    job
      .command("watch <id>")
      .description("follow a job to its end")
      .option("--wait <duration>", "how long to wait"),
    built,
    async (session, [id = ""], flags) =>
      (await import("./commands/follow-job.ts")).watchJob(session, id, flags),
  );
  withSession<ListJobsFlags>(
    job
      .command("ls")
      .alias("list")
      .description("search jobs")
      .option("-q, --query <query>", "such as 'status:failed task:video.* created:>-2h'")
      .option("--order-by <field>", "createTime, priority, startTime or endTime, with asc or desc")
      .addOption(new Option("--limit <count>", "at most so many, 1 to 10,000").default("50", "50"))
      .option("--max-lag <duration>", "fail with 9 where the read model is further behind")
      .option("--watch", "go on with what happens to them"),
    built,
    async (session, _args, flags) => (await import("./commands/list-jobs.ts")).listJobs(session, flags),
  );
  withSession<{ current?: boolean }>(
    job
      .command("get <id>")
      .alias("show")
      .description("show a job")
      .option("--current", "from the store, not from the read model"),
    built,
    async (session, [id = ""], flags) => (await import("./commands/show-job.ts")).showJob(session, id, flags),
  );
  withSession(
    job.command("attempts <id>").description("list a job's attempts"),
    built,
    async (session, [id = ""]) => (await import("./commands/show-job.ts")).listAttempts(session, id),
  );
  withSession(
    job.command("events <id>").description("list a job's history"),
    built,
    async (session, [id = ""]) => (await import("./commands/show-job.ts")).listEvents(session, id),
  );
  for (const verb of ["cancel", "retry"] as const) {
    const command = job
      .command(`${verb} <ids...>`)
      .description(`${verb} jobs`)
      .option("--reason <text>", "why, for the record");
    withSession<{ reason?: string }>(command, built, async (session, ids, flags) =>
      (await import("./commands/change-job.ts")).changeJobs(session, verb, ids, flags),
    );
  }
}

function addQueueCommands(queue: Command, built: Built): void {
  withSession<{ watch?: boolean }>(
    queue
      .command("ls")
      .alias("list")
      .description("list queues")
      .option("--watch", "again whenever something happens"),
    built,
    async (session, _args, flags) => (await import("./commands/queues.ts")).listQueues(session, flags),
  );
  for (const verb of ["pause", "resume"] as const) {
    withSession(
      queue.command(`${verb} <queue>`).description(`${verb} a queue`),
      built,
      async (session, [name = ""]) => (await import("./commands/queues.ts")).switchQueue(session, name, verb),
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
      (await import("./commands/queues.ts")).setQueue(session, name, flags),
  );
}

function addOwnCommands(program: Command, { surroundings, done }: Built): void {
  common(program.command("doctor").description("say what is wrong here, and what to do")).action(
    async (flags: CommonFlags) =>
      done(await (await import("./commands/doctor.ts")).doctor(flags, surroundings)),
  );
  common(
    program.command("explain [reason]").description("explain the code of an error; works offline"),
  ).action(async (reason: string | undefined, flags: CommonFlags) =>
    done(await (await import("./commands/explain.ts")).explain(reason, flags, surroundings)),
  );
  const api = program
    .command("api <method> <path>")
    .description("send any request with the key of the connection");
  withSession<CallFlags>(
    api
      .option("-i, --input <json>", "the body: JSON, @file, or - for standard input")
      .addOption(repeatable("-H, --header <header>", "a header, such as 'Prefer: wait=10'")),
    { surroundings, done },
    async (session, [method = "", path = ""], flags) =>
      (await import("./commands/call-api.ts")).callApi(session, method, path, flags),
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

function common(command: Command): Command {
  return command
    .option("-o, --output <format>", "table, wide, json, ndjson, yaml, name or csv")
    .option("--url <url>", "the edge; ORRERY_URL")
    .option("--key-file <path>", "a file with the API key; ORRERY_API_KEY_FILE")
    .option("--project <project>", "which project's key of run.json to use; ORRERY_PROJECT")
    .option("--no-color", "no colour; NO_COLOR");
}

/** Lets a command run in a session. Commander hands over the arguments, then the flags, then the command. */
function withSession<Flags = object>(
  command: Command,
  { surroundings, done }: Built,
  run: (session: Session, args: readonly string[], flags: Flags & CommonFlags) => Promise<ExitCode>,
): void {
  common(command).action(async (...handed: unknown[]) => {
    const flags = handed.at(-2) as Flags & CommonFlags;
    const args = handed.slice(0, -2).flat() as readonly string[];
    done(await run(openSession(flags, surroundings), args, flags));
  });
}
