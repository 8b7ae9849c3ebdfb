import { styleText } from "node:util";

/** What a command may touch of its process. The tests hand in their own. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: () => string;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: Output;
  readonly stderr: Output;
  on(signal: "SIGINT", listener: () => void): unknown;
  off(signal: "SIGINT", listener: () => void): unknown;
}

/** A stream that text goes to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export type Colour = "red" | "green" | "yellow" | "cyan" | "gray" | "bold";

/** Colours text, where colour is wanted. */
export type Paint = (colour: Colour, text: string) => string;

/** Where data and talk go, and how they may look. */
export interface Terminal {
  /** Whether data goes to a person's screen. */
  readonly interactive: boolean;
  /** Columns of the screen; undefined where there is none. */
  readonly columns: number | undefined;
  /** Writes data: standard output. */
  readonly data: (line: string) => void;
  /** Writes anything else: standard error. */
  readonly talk: (line: string) => void;
  /** Colours text that goes to the data, where colour is wanted. */
  readonly paint: Paint;
  /** Colours text that goes to the talk. */
  readonly paintTalk: Paint;
}

/** Colour needs a screen, and neither --no-color, NO_COLOR, CI nor TERM=dumb. */
export function terminalOf({ stdout, stderr, env }: Surroundings, { colour }: { colour: boolean }): Terminal {
  const wanted = colour && !env.NO_COLOR && !env.CI && env.TERM !== "dumb";
  const painter = (output: Output) => (name: Colour, text: string) =>
    wanted && output.isTTY === true ? styleText(name, text, { validateStream: false }) : text;
  return {
    interactive: stdout.isTTY === true,
    columns: (stdout.isTTY === true && stdout.columns) || undefined,
    data: (line) => void stdout.write(`${line}\n`),
    talk: (line) => void stderr.write(`${line}\n`),
    paint: painter(stdout),
    paintTalk: painter(stderr),
  };
}

/** Text of others without its control characters: a label must not be able to drive the reader's terminal. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, "·");
