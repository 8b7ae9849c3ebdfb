import type { Command } from "commander";
import type { FollowFlags } from "../commands/follow-mission.ts";
import type { LaunchFlags } from "../commands/launch-mission.ts";
import type { ListFlags } from "../commands/paged-list.ts";
import type { ResolveFlags } from "../commands/resolve-mission.ts";
import { searchFlags } from "./job-commands.ts";
import { type Built, chosenFields, repeatable, withSession } from "./session-command.ts";

/** `orrery mission …` */
export function addMissionCommands(mission: Command, built: Built): void {
  addLaunch(mission, built);
  withSession<FollowFlags>(
    mission
      .command("watch <id>")
      .description("follow a mission until it ends or needs attention")
      .option("--wait <duration>", "how long to wait"),
    built,
    async (session, [id = ""], flags) =>
      (await import("../commands/follow-mission.ts")).watchMission(session, id, flags),
  );
  withSession<ListFlags>(
    searchFlags(
      mission.command("ls").alias("list").description("search missions"),
      "status:needs_attention name:order.*",
      "createTime, startTime or endTime",
    ),
    built,
    async (session, _args, flags) =>
      (await import("../commands/show-mission.ts")).listMissions(session, flags),
  );
  const read = (command: Command) => command.option("--current", "from the store, not from the read model");
  withSession<{ current?: boolean }>(
    read(chosenFields(mission.command("get <id>").alias("show").description("show a mission and its steps"))),
    built,
    async (session, [id = ""], flags) =>
      (await import("../commands/show-mission.ts")).showMission(session, id, flags),
  );
  withSession<{ current?: boolean }>(
    read(mission.command("graph <id>").description("draw its steps, and the way back beneath them")),
    built,
    async (session, [id = ""], flags) =>
      (await import("../commands/show-mission.ts")).drawMission(session, id, flags),
  );
  withSession(
    chosenFields(mission.command("events <id>").description("list a mission's history")),
    built,
    async (session, [id = ""]) =>
      (await import("../commands/show-mission.ts")).listMissionEvents(session, id),
  );
  withSession(
    mission.command("trace <id>").description("draw its trace, that of its jobs included"),
    built,
    async (session, [id = ""]) =>
      (await import("../commands/show-trace.ts")).showTrace(session, "missions", id),
  );
  addChanges(mission, built);
}

function addLaunch(mission: Command, built: Built): void {
  withSession<LaunchFlags>(
    mission
      .command("launch <file>")
      .description(
        "launch the mission that a JSON or YAML file declares (- for standard input); print its id",
      )
      .option("-i, --input <json>", "its input: JSON or @file")
      .addOption(repeatable("--set <path=value>", "sets one field of the input, such as a.b=1"))
      .option("--name <name>", "another name than the file's")
      .addOption(repeatable("--label <key=value>", "a label"))
      .option("--idempotency-key <key>", "the same key launches the same mission once")
      .option("--dry-run", "print the request and send nothing"),
    built,
    async (session, [file = ""], flags) =>
      (await import("../commands/launch-mission.ts")).launchMission(session, file, flags),
  );
}

function addChanges(mission: Command, built: Built): void {
  for (const verb of ["cancel", "retry"] as const) {
    withSession<{ reason?: string }>(
      mission
        .command(`${verb} <ids...>`)
        .description(
          verb === "cancel" ? "cancel missions and undo what was done" : "try again what stopped them",
        )
        .option("--reason <text>", "why, for the record"),
      built,
      async (session, ids, flags) =>
        (await import("../commands/change-job.ts")).changeAll(
          session,
          { noun: "missions", verb },
          ids,
          flags,
        ),
    );
  }
  withSession<ResolveFlags>(
    mission
      .command("resolve <id>")
      .description("say how the step stands that a mission needs attention for; kept for the record")
      .requiredOption("--step <name>", "the step")
      .requiredOption("--outcome <outcome>", "done, not-done or undone")
      .requiredOption("--note <text>", "why, for the record"),
    built,
    async (session, [id = ""], flags) =>
      (await import("../commands/resolve-mission.ts")).resolveMission(session, id, flags),
  );
}
