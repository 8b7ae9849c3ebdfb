import type { Command } from "commander";
import type { CallFlags } from "../commands/call-api.ts";
import type { CommonFlags } from "../session.ts";
import { type Built, chosenFields, common, repeatable, withSession } from "./session-command.ts";

/** `orrery doctor`, `explain`, `metrics` and `api`. */
export function addOwnCommands(program: Command, built: Built): void {
  const { surroundings, done } = built;
  common(program.command("doctor").description("say what is wrong here, and what to do")).action(
    async (flags: CommonFlags) =>
      done(await (await import("../commands/doctor.ts")).doctor(flags, surroundings)),
  );
  common(
    program.command("explain [reason]").description("explain the code of an error; works offline"),
  ).action(async (reason: string | undefined, flags: CommonFlags) =>
    done(await (await import("../commands/explain.ts")).explain(reason, flags, surroundings)),
  );
  withSession<{ watch?: boolean }>(
    chosenFields(program.command("metrics").description("the project's figures")).option(
      "--watch",
      "again whenever something happens",
    ),
    built,
    async (session, _args, flags) => (await import("../commands/watch-list.ts")).listMetrics(session, flags),
  );
  const api = program
    .command("api <method> <path>")
    .description("send any request with the key of the connection");
  withSession<CallFlags>(
    api
      .option("-i, --input <json>", "the body: JSON, @file, or - for standard input")
      .addOption(repeatable("-H, --header <header>", "a header, such as 'Prefer: wait=10'")),
    built,
    async (session, [method = "", path = ""], flags) =>
      (await import("../commands/call-api.ts")).callApi(session, method, path, flags),
  );
}
