import { Fault } from "../fault/fault.ts";
import { type Bound, bound, type Statement } from "./batch.ts";
import type { Connection } from "./connection.ts";
import { commitUnknown } from "./database-fault.ts";

/** Statements of one transaction, one after the other. */
export interface Transaction {
  /** Runs a named statement. @returns its rows, in the order of the database */
  query<R>(statement: Statement, values: readonly unknown[]): Promise<R[]>;
  /**
   * Leaves a named statement, whose rows nobody needs, to travel with what comes next, or with COMMIT. If it fails, so
   * does that, and with it the transaction.
   */
  post(statement: Statement, values: readonly unknown[]): void;
  /** Runs SQL text without values, several statements if need be. */
  exec(text: string): Promise<void>;
}

const BEGIN: Bound = { name: "begin", text: "begin", values: [] };
const COMMIT: Bound = { name: "commit", text: "commit", values: [] };

/** A transaction on a connection, which the server hears of with its first statement. */
export class OpenTransaction implements Transaction {
  readonly #connection: Connection;
  readonly #settings: readonly Bound[];
  #posted: Bound[] = [];
  #begun = false;

  /** @param settings - what holds for its statements only */
  constructor(connection: Connection, settings: readonly Bound[]) {
    this.#connection = connection;
    this.#settings = settings;
  }

  async query<R>(statement: Statement, values: readonly unknown[]): Promise<R[]> {
    const results = await this.#send(bound(statement, values));
    return (results.at(-1)?.rows ?? []) as R[];
  }

  post(statement: Statement, values: readonly unknown[]): void {
    this.#posted.push(bound(statement, values));
  }

  async exec(text: string): Promise<void> {
    await this.#send();
    await this.#connection.exec(text);
  }

  async commit(): Promise<void> {
    if (!this.#begun && this.#posted.length === 0) return;
    const whole = this.#begun ? [...this.#posted, COMMIT] : [...this.#settings, ...this.#posted];
    try {
      const results = await this.#connection.send(whole);
      if (!this.#begun || results.at(-1)?.command === "COMMIT") return;
    } catch (failure) {
      if (this.#connection.broken !== undefined) throw commitUnknown(failure);
      throw failure;
    }
    // Work that swallowed a failed statement: PostgreSQL answers COMMIT with ROLLBACK, and nothing happened.
    this.#begun = false;
    throw new Fault("INTERNAL", { detail: "the database refused a statement" });
  }

  /** Never fails: a connection that cannot even roll back is thrown away, which rolls back as well. */
  async rollback(): Promise<void> {
    if (!this.#begun || this.#connection.broken !== undefined) return;
    await this.#connection.exec("rollback").catch((failure: Error) => {
      this.#connection.broken ??= failure;
    });
  }

  #send(...last: readonly Bound[]) {
    const opening = this.#begun ? [] : [BEGIN, ...this.#settings];
    const statements = [...opening, ...this.#posted, ...last];
    this.#posted = [];
    this.#begun = true;
    return this.#connection.send(statements);
  }
}
