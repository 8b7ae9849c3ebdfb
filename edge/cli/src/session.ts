import { type Api, apiOf, type Json } from "./api.ts";
import { type Connection, type ConnectionFlags, findConnection } from "./connection.ts";
import { type Format, formatOf } from "./output/printer.ts";
import type { Row } from "./output/table.ts";
import { type Surroundings, type Terminal, terminalOf } from "./terminal.ts";

/** The flags of every command. */
export interface CommonFlags extends ConnectionFlags {
  readonly output?: string;
  /** Of lists and of what is shown. */
  readonly json?: string;
  readonly color?: boolean;
}

/** What a command works with. */
export interface Session {
  readonly surroundings: Surroundings;
  readonly terminal: Terminal;
  readonly format: Format;
  readonly connection: Connection;
  readonly api: Api;
}

/** Opens a session: reads the flags that every command takes, and finds the edge. */
export function openSession(flags: CommonFlags, surroundings: Surroundings): Session {
  const terminal = terminalOf(surroundings, { colour: flags.color !== false });
  const format = formatOf(flags.output, flags.json);
  const connection = findConnection(flags, surroundings.env, surroundings.cwd());
  return { surroundings, terminal, format, connection, api: apiOf(connection) };
}

/** What was made, by its id and its address: for a person its page, for a program its place in the API. */
export const madeLine = ({ terminal, api }: Session, noun: "jobs" | "missions", id: string): string =>
  terminal.interactive ? `${id}  ${api.url}/${noun}/${id}` : `${id}\t${api.url}/v1/${noun}/${id}`;

/** An answer's JSON, which is an object wherever this is used. */
export const objectOf = (text: string): Row => JSON.parse(text) as Row;

/** The rows in one field of an answer. */
export const rowsOf = (answer: Row, name: string): readonly Row[] => {
  const rows: Json | undefined = answer[name];
  return Array.isArray(rows) ? (rows as readonly Row[]) : [];
};

/**
 * Ends what hangs on its signal when the user interrupts the program, and in any case when it is disposed.
 */
export function interruption(surroundings: Surroundings): { readonly signal: AbortSignal } & Disposable {
  const interrupted = new AbortController();
  const onInterrupt = () => interrupted.abort();
  surroundings.on("SIGINT", onInterrupt);
  const dispose = () => {
    surroundings.off("SIGINT", onInterrupt);
    interrupted.abort();
  };
  return { signal: interrupted.signal, [Symbol.dispose]: dispose };
}
