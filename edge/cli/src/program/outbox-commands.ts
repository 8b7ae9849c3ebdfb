import type { Command } from "commander";
import type { CommonFlags } from "../session.ts";
import { type Built, common } from "./session-command.ts";

/** `orrery outbox`. */
export function addOutboxCommands(outbox: Command, { surroundings, done }: Built): void {
  common(
    outbox
      .command("republish [service]")
      .description(
        "publish the events of the last 7 days again, of one service or of all; on this machine only",
      ),
  ).action(async (service: string | undefined, flags: CommonFlags) =>
    done(await (await import("../commands/republish.ts")).republish(service, flags, surroundings)),
  );
}
