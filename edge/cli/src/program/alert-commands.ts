import type { Command } from "commander";
import type { MuteFlags } from "../commands/alerts.ts";
import { type Built, chosenFields, withSession } from "./session-command.ts";

/** `orrery alert …` */
export function addAlertCommands(alert: Command, built: Built): void {
  withSession<{ all?: boolean; watch?: boolean }>(
    chosenFields(alert.command("ls").alias("list").description("list alerts, the most severe first"))
      .option("--all", "resolved ones too")
      .option("--watch", "again whenever something happens"),
    built,
    async (session, _args, flags) => (await import("../commands/alerts.ts")).listAlerts(session, flags),
  );
  withSession<{ note?: string }>(
    alert
      .command("ack <ids...>")
      .alias("acknowledge")
      .description("take alerts on")
      .option("--note <text>", "what is being done, for the record"),
    built,
    async (session, ids, flags) => (await import("../commands/alerts.ts")).acknowledge(session, ids, flags),
  );
  withSession<MuteFlags>(
    alert
      .command("mute <ids...>")
      .description("mute alerts for a time")
      .option("--for <duration>", "how long, such as 2h; 1h unless set")
      .option("--until <time>", "until when (RFC 3339)")
      .option("--note <text>", "why, for the record"),
    built,
    async (session, ids, flags) => (await import("../commands/alerts.ts")).mute(session, ids, flags),
  );
  withSession(
    alert
      .command("runbook <id>")
      .description("print what to do about an alert: by its id, or a runbook's name"),
    built,
    async (session, [id = ""]) => (await import("../commands/alerts.ts")).printRunbook(session, id),
  );
}
