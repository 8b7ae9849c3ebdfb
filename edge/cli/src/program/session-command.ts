import { type Command, Option } from "commander";
import type { ExitCode } from "../exit-code.ts";
import { type CommonFlags, openSession, type Session } from "../session.ts";
import type { Surroundings } from "../terminal.ts";

/** Hears the exit code of the one command that ran. */
type Done = (code: ExitCode) => void;

/** What every command is built with. */
export interface Built {
  readonly surroundings: Surroundings;
  readonly done: Done;
}

const COLLECT = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** An option that may be given several times. */
export const repeatable = (flags: string, description: string): Option =>
  new Option(flags, `${description}; repeatable`).argParser(COLLECT).default([], "none");

/** Adds the flags that every command takes. */
export function common(command: Command): Command {
  return command
    .option("-o, --output <format>", "table, wide, json, ndjson, yaml, name or csv")
    .option("--url <url>", "the edge; ORRERY_URL")
    .option("--key-file <path>", "a file with the API key; ORRERY_API_KEY_FILE")
    .option("--project <project>", "which project's key of run.json to use; ORRERY_PROJECT")
    .option("--no-color", "no colour; NO_COLOR");
}

/** Adds the flag that every list and everything that shows one thing takes. */
export const chosenFields = (command: Command): Command =>
  command.option("--json <fields>", "only these fields, as JSON: id,status");

/** Lets a command run in a session. Commander hands over the arguments, then the flags, then the command. */
export function withSession<Flags = object>(
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
