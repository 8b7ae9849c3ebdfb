import { readFileSync } from "node:fs";
import { type Command, CommanderError } from "commander";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { Failure } from "./failure.ts";
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
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const terminal = terminalOf(surroundings, { colour: !args.includes("--no-color") });
    return tell(error, terminal);
  }
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
async function tell(error: unknown, terminal: Terminal): Promise<ExitCode> {
  if (!(error instanceof Failure)) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.talk(`${terminal.paintTalk("red", "error:")} ${what}`);
    return EXIT.unexpected;
  }
  const { exitCode, reason, traceId, lines = [] } = error.about;
  terminal.talk(`${terminal.paintTalk("red", "error:")} ${error.message}`);
  for (const line of lines) terminal.talk(`  ${line}`);
  const fix = error.about.fix ?? (reason === undefined ? undefined : await fixOf(reason));
  if (fix !== undefined) terminal.talk(`fix: ${fix}`);
  const code = [
    ...(reason === undefined ? [] : [`code: ${reason}`]),
    ...(traceId === undefined ? [] : [`trace: ${traceId}`]),
    ...(reason === undefined ? [] : [`docs: orrery explain ${reason}`]),
  ];
  if (code.length > 0) terminal.talk(code.join("  "));
  return exitCode;
}

async function fixOf(reason: string): Promise<string | undefined> {
  const { reasonPage } = await import("./reasons.ts");
  return reasonPage(reason)?.fix;
}
