import { Command } from "commander";
import { addAlertCommands } from "./program/alert-commands.ts";
import { addJobCommands, addSearch } from "./program/job-commands.ts";
import { addMissionCommands } from "./program/mission-commands.ts";
import { addOutboxCommands } from "./program/outbox-commands.ts";
import { addOwnCommands } from "./program/own-commands.ts";
import { addQueueCommands, addWorkerCommands } from "./program/queue-commands.ts";
import type { Built } from "./program/session-command.ts";

/** All commands. Each loads its own code when it runs, so that the others cost nothing. */
export function programOf(version: string, built: Built): Command {
  const program = new Command("orrery")
    .description("Hands jobs and missions to Orrery and shows what becomes of them.")
    .version(`orrery ${version}`, "-V, --version", "print the version")
    .showSuggestionAfterError(true)
    .showHelpAfterError("fix: --help after a command shows how it is written; options come after the command")
    .addHelpText("after", HELP);
  const noun = (name: string, description: string, plural = `${name}s`) =>
    program.command(name).alias(plural).description(description);
  addJobCommands(noun("job", "submit, follow and change jobs"), built);
  addMissionCommands(noun("mission", "launch, follow and settle missions"), built);
  addQueueCommands(noun("queue", "look at queues and hold them"), built);
  addWorkerCommands(noun("worker", "look at workers"), built);
  addAlertCommands(noun("alert", "look at alerts and take them on"), built);
  addOutboxCommands(noun("outbox", "see to what services publish", "outboxes"), built);
  addSearch(program, built);
  addOwnCommands(program, built);
  return program;
}

const HELP = `
Exit codes: 0 done or succeeded, 1 unexpected, 2 usage or invalid input, 3 not found, 4 not authorised,
5 the job or mission did not succeed, 6 the mission was undone, 7 it needs attention, 8 still pending,
9 unreachable or too far behind, 10 conflict, 130 interrupted.
The platform: --url and --key-file after the command, or ORRERY_URL and ORRERY_API_KEY_FILE, or
.orrery/run.json.`;
