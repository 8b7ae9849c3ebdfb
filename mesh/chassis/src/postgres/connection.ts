import type pg from "pg";
import { Batch, type Bound } from "./batch.ts";
import { connectionSurvives, databaseFault } from "./database-fault.ts";

/** The database cancels first; only a silent one is given up on from here, this much later. */
export const SILENCE_MARGIN_MS = 40;
/** With less time than this left, work is refused before it costs anything. */
export const LEAST_TIME_MS = 10;
/** Silence shorter than this tells of an impatient caller, not of a dead database. */
const SILENCE_MS = 250;
/** What `pg` says when a query's own time limit ends it. */
const READ_TIMEOUT = "Query read timeout";

/** One checked-out connection, which remembers whether it can be used again. */
export class Connection {
  readonly #client: pg.PoolClient;
  readonly #remainingMs: () => number;
  /** The failure after which the connection must be thrown away. */
  broken: Error | undefined;

  constructor(client: pg.PoolClient, remainingMs: () => number) {
    this.#client = client;
    this.#remainingMs = remainingMs;
  }

  /** Sends statements in one message. @returns what each gave @throws Fault, with the driver's error as its cause */
  send(statements: readonly Bound[]): Promise<readonly pg.QueryResult[]> {
    return this.#inTime((timeoutMs) => {
      const { promise, resolve, reject } = Promise.withResolvers<readonly pg.QueryResult[]>();
      const done = (failure: Error | null, results: readonly pg.QueryResult[]): void =>
        failure === null ? resolve(results) : reject(failure);
      this.#client.query(new Batch(statements, { timeoutMs, done }));
      return promise;
    });
  }

  /** Sends SQL text without values. @throws Fault as `send` does */
  async exec(text: string): Promise<void> {
    await this.#inTime((timeoutMs) => {
      const query = { text, query_timeout: timeoutMs };
      return this.#client.query(query);
    });
  }

  async #inTime<T>(send: (timeoutMs: number) => Promise<T>): Promise<T> {
    if (this.broken !== undefined) throw databaseFault(this.broken);
    const remainingMs = this.#remainingMs();
    if (remainingMs < LEAST_TIME_MS) throw databaseFault(new Error("no time is left"), true);
    try {
      return await send(Math.ceil(remainingMs) + SILENCE_MARGIN_MS);
    } catch (failure) {
      if (!connectionSurvives(failure)) this.broken = failure instanceof Error ? failure : new Error("lost");
      throw databaseFault(failure, this.broken?.message === READ_TIMEOUT && remainingMs < SILENCE_MS);
    }
  }
}
