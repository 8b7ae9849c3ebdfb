import { readFileSync } from "node:fs";
import { type Command, CommanderError } from "commander";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { Failure, violationLine } from "./failure.ts";
import { helpOf, wordOf } from "./program/typed-words.ts";
import { programOf } from "./program.ts";
import { type Surroundings, type Terminal, terminalOf } from "./terminal.ts";

/**
 * Runs one command line.
 *
 * @param args - without the names of node and of the program
 * @returns the exit code; never rejects
 */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const program = programOf(version(), {
    surroundings,
    done: (code) => {
      exitCode = code;
    },
  });
  configure(program, surroundings);
  let ran: Command | undefined;
  program.hook("preAction", (_, command) => {
    ran = command;
  });
  try {
    await program.parseAsync(withoutHelpOfUnknown(program, args), { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const terminal = terminalOf(surroundings, { colour: !args.includes("--no-color") });
    return tell(error, terminal, ran);
  }
}

/** Without `--help` after a command that there is not: commander would answer with the help of what is above it. */
function withoutHelpOfUnknown(program: Command, args: readonly string[]): readonly string[] {
  let above = program;
  for (const word of args) {
    if (above.commands.length === 0 || word === "help" || word.startsWith("-")) break;
    const named = above.commands.find((command) => [command.name(), ...command.aliases()].includes(word));
    if (named === undefined) return args.filter((arg) => arg !== "--help" && arg !== "-h");
    above = named;
  }
  return args;
}

/** Commander writes, and ends the program, through us. */
function configure(command: Command, { stdout, stderr }: Surroundings): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
  });
  for (const below of command.commands) configure(below, { stdout, stderr } as Surroundings);
}

const version = (): string =>
  (JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string })
    .version;

/** What, why, what to do, and the code to look it up by. */
async function tell(error: unknown, terminal: Terminal, command: Command | undefined): Promise<ExitCode> {
  if (!(error instanceof Failure)) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.talk(`${terminal.paintTalk("red", "error:")} ${what}`);
    return EXIT.unexpected;
  }
  const { exitCode, reason, traceId, violations = [], lines = [] } = error.about;
  terminal.talk(`${terminal.paintTalk("red", "error:")} ${error.message}`);
  const words = violations.map(({ field }) => (command === undefined ? undefined : wordOf(command, field)));
  for (const [index, violation] of violations.entries())
    terminal.talk(`  ${violationLine(violation, words[index])}`);
  for (const line of lines) terminal.talk(`  ${line}`);
  const typed = command !== undefined && words.some((word) => word !== undefined);
  const fix = error.about.fix ?? (typed ? helpOf(command) : await fixOf(reason));
  if (fix !== undefined) terminal.talk(`fix: ${fix}`);
  const code = [
    ...(reason === undefined ? [] : [`code: ${reason}`]),
    ...(traceId === undefined ? [] : [`trace: ${traceId}`]),
    ...(reason === undefined ? [] : [`docs: orrery explain ${reason}`]),
  ];
  if (code.length > 0) terminal.talk(code.join("  "));
  return exitCode;
}

async function fixOf(reason: string | undefined): Promise<string | undefined> {
  if (reason === undefined) return undefined;
  const { reasonPage } = await import("./reasons.ts");
  return reasonPage(reason)?.fix;
}
