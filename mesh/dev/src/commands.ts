import { ConfigError } from "../../chassis/src/config/read-config.ts";
import { WORKLOADS } from "../../topology.ts";
import { BinaryMissing } from "./binaries/binary-missing.ts";
import { resolveBinary } from "./binaries/resolve.ts";
import { demo, NotRunning, Refused, StayedAway } from "./demo.ts";
import { examine, tell } from "./doctor.ts";
import { AlreadyRunning } from "./launch-record.ts";
import { whenMakeIsInterrupted } from "./make-interrupt.ts";
import { Platform, StartFailed } from "./platform.ts";
import { readSettings } from "./settings.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** A reader that went away (`make run | head`) is no reason to leave servers behind. */
process.stdout.on("error", () => undefined);

const COMMANDS: Readonly<Record<string, () => Promise<void>>> = {
  run,
  "run-attached": () => run(process.stdin).finally(() => process.stdin.destroy()),
  demo: () => demo(readSettings(process.env).home, print),
  doctor,
  binary,
};

/**
 * Starts everything, says where it is, and stops it in order at SIGINT or SIGTERM; asked twice, it kills.
 *
 * @param lifeline - its end stops everything as well: whoever holds the other end has gone, however that came
 */
async function run(lifeline?: NodeJS.ReadableStream): Promise<void> {
  const settings = readSettings(process.env);
  const stopping = new AbortController();
  let platform: Platform | undefined;
  const stop = () => {
    if (!stopping.signal.aborted)
      print("stopping: what is under way has some seconds; Ctrl-C again ends it at once");
    stopping.abort(new Stopped());
  };
  let asked = 0;
  const askedTo = () => {
    asked += 1;
    if (asked > 1) platform?.killAll();
    stop();
  };
  process.on("SIGINT", askedTo);
  process.on("SIGTERM", askedTo);
  whenMakeIsInterrupted(stop);
  lifeline?.once("end", stop).resume();
  const stopped = new Promise<void>((done) => stopping.signal.addEventListener("abort", () => done()));
  const launch = { settings, workloads: WORKLOADS, print, signal: stopping.signal };
  platform = await Platform.start(launch, (begun) => {
    platform = begun;
  });
  print(`orrery ready http://127.0.0.1:${platform.firstHttpPort}`);
  await stopped;
  await platform.stop();
  print("stopped");
}

/** Says what is wrong here and where it is explained; ends non-zero when something is. */
async function doctor(): Promise<void> {
  if (!tell(await examine(readSettings(process.env)), print)) process.exitCode = 1;
}

/** Prints the path of a program, installing it where that is possible: `main.ts binary grpcurl`. */
async function binary(): Promise<void> {
  const complain = (line: string) => void process.stderr.write(`${line}\n`);
  const { path, warning } = await resolveBinary(process.argv[3] ?? "", complain);
  if (warning) complain(warning);
  print(path);
}

/** The user stopped the platform before it was ready. */
class Stopped extends Error {}

/**
 * Runs the command of that name to its end and sets the exit code: 1 when it fails, 64 when there is none.
 */
export async function runCommand(name: string): Promise<void> {
  const command = COMMANDS[name];
  if (command === undefined) {
    process.stderr.write(`there is no command ${name}: ${Object.keys(COMMANDS).join(", ")}\n`);
    process.exitCode = 64;
    return;
  }
  try {
    await command();
  } catch (error) {
    if (error instanceof Stopped) return print("stopped");
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exitCode = 1;
  }
}

const TOLD = [AlreadyRunning, BinaryMissing, ConfigError, NotRunning, Refused, StartFailed, StayedAway];

/** What a person can mend is said in one sentence; anything else is ours, and comes with its stack. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const told = TOLD.some((kind) => error instanceof kind);
  return told ? error.message : (error.stack ?? error.message);
}
