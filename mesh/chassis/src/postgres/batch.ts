import pg from "pg";
import { columnTypes } from "./column-types.ts";

/**
 * A named statement. It is prepared once for each connection under its name, so one name stands for one text.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** A statement with its values. */
export interface Bound extends Statement {
  readonly values: unknown[];
}

export function bound({ name, text }: Statement, values: readonly unknown[]): Bound {
  return { name, text, values: [...values] };
}

type Callback = (failure: Error | null, results: readonly pg.QueryResult[]) => void;

/** What the client hears of a query while it runs, beside what its types say. */
interface Running {
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: pg.Connection): void;
  handleReadyForQuery(connection: pg.Connection): void;
  handleError(failure: Error, connection: pg.Connection): void;
}
/** `submit` gives back what keeps a query from being sent. */
type Part = Bound & Running & { submit(connection: Unsynced): Error | null };

/** Named statements whose text is on its way to the server, or there. */
interface Named {
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
}

/**
 * The connection as the queries of a batch see it: their Sync is left to the batch. (An object that inherits from the
 * connection costs V8 a new shape of it each time.)
 */
class Unsynced {
  readonly #connection: pg.Connection;
  readonly stream: pg.Connection["stream"];
  readonly parsedStatements: Named["parsedStatements"];
  readonly submittedNamedStatements: Named["submittedNamedStatements"];

  constructor(connection: pg.Connection & Named) {
    this.#connection = connection;
    this.stream = connection.stream;
    this.parsedStatements = connection.parsedStatements;
    this.submittedNamedStatements = connection.submittedNamedStatements;
  }

  parse(...message: Parameters<pg.Connection["parse"]>): void {
    this.#connection.parse(...message);
  }

  bind(...message: Parameters<pg.Connection["bind"]>): void {
    this.#connection.bind(...message);
  }

  describe(...message: Parameters<pg.Connection["describe"]>): void {
    this.#connection.describe(...message);
  }

  execute(...message: Parameters<pg.Connection["execute"]>): void {
    this.#connection.execute(...message);
  }

  close(...message: Parameters<pg.Connection["close"]>): void {
    this.#connection.close(...message);
  }

  flush(): void {}
  sync(): void {}
}

/**
 * Statements that travel in one message, and end with one Sync: the server carries them out in order, and after one
 * that failed skips the rest. Outside of a transaction they are one of their own. `pg` asks for an answer after each.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class Batch implements pg.Submittable {
  /** Milliseconds after which the client gives the answer up. */
  readonly query_timeout: number;
  /** Replaced by the client, which keeps the time with it. */
  callback: Callback;
  readonly #parts: readonly Part[];
  readonly #results: pg.QueryResult[] = [];
  #at = 0;
  #failure: Error | undefined;

  constructor(statements: readonly Bound[], { timeoutMs, done }: { timeoutMs: number; done: Callback }) {
    this.query_timeout = timeoutMs;
    this.callback = done;
    this.#parts = statements.map((statement) => {
      const heard = (failure: Error | undefined, result: pg.QueryResult): void => {
        if (failure) this.#failure ??= failure;
        else this.#results.push(result);
      };
      // Extended: a text without name and values would go in a message of another kind, which the server answers apart.
      const query = { ...statement, types: columnTypes, queryMode: "extended" };
      return new pg.Query(query, heard) as unknown as Part;
    });
  }

  /** Of the statement that is under way: the client keeps by them what it has prepared. */
  get name(): string | undefined {
    return this.#parts[this.#at]?.name;
  }

  get text(): string | undefined {
    return this.#parts[this.#at]?.text;
  }

  submit(connection: pg.Connection): void {
    const unsynced = new Unsynced(connection as pg.Connection & Named);
    connection.stream.cork();
    try {
      for (const part of this.#parts) {
        const refusal = part.submit(unsynced);
        if (refusal !== null) this.#failure ??= refusal;
      }
      // One was not sent, or a value of it could not be written: what went before is undone by a statement that fails.
      if (this.#failure !== undefined)
        connection.parse({ name: "", text: "rollback of all", types: [] }, true);
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
  }

  handleRowDescription(message: unknown): void {
    this.#parts[this.#at]?.handleRowDescription(message);
  }

  handleDataRow(message: unknown): void {
    this.#parts[this.#at]?.handleDataRow(message);
  }

  handleCommandComplete(message: unknown, connection: pg.Connection): void {
    this.#parts[this.#at]?.handleCommandComplete(message, connection);
    this.#at += 1;
  }

  /** Of a text that says nothing. */
  handleEmptyQuery(): void {
    this.#at += 1;
  }

  handleReadyForQuery(connection: pg.Connection): void {
    for (const part of this.#parts) part.handleReadyForQuery(connection);
    this.callback(this.#failure ?? null, this.#results);
  }

  handleError(failure: Error, connection: pg.Connection): void {
    const { parsedStatements, submittedNamedStatements } = connection as unknown as Named;
    // What the server skipped it has not prepared.
    for (const { name } of this.#parts.slice(this.#at)) {
      if (parsedStatements[name] === undefined) delete submittedNamedStatements[name];
    }
    this.callback(this.#failure ?? failure, []);
  }
}
