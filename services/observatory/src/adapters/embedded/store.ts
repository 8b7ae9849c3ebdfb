import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type {
  EventSearch,
  ListedDocument,
  ProjectSummary,
  Search,
  StoredDocument,
  StoredEvent,
  StoreSize,
} from "../../application/ports.ts";
import type { Kind } from "../../domain/projection.ts";
import type { Filter } from "../../domain/query/filter.ts";
import { afterPosition, type Condition, compile, NUMBER_COLUMNS, orderText } from "./filter-sql.ts";
import { inodeOf } from "./inode.ts";
import type { BatchRows } from "./store-rows.ts";
import * as statements from "./store-statements.ts";

const FILE = "read-model.db";
const PREPARED_LIMIT = 200;
/** How long a connection waits for another one's transaction, milliseconds. */
const BUSY_LIMIT_MS = 5_000;
const OPEN_PAUSE_MS = 20;

/** Takes the file away, under another name for whoever wants to look at it: the next to open it makes a new one. */
export function setAside(folder: string): void {
  const path = join(folder, FILE);
  renameSync(path, `${path}.damaged`);
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
}

/**
 * The file of the embedded read model. Synchronous: it lives in a worker thread, because SQLite holds the
 * thread that it runs on. Each thread and each process has one of its own on the same file.
 */
export class Store {
  readonly #folder: string;
  readonly #newGeneration: () => string;
  readonly #isUnwanted: () => boolean;
  #database: DatabaseSync;
  #inode: number;
  #prepared = new Map<string, StatementSync>();

  constructor(folder: string, caller: { newGeneration(): string; isUnwanted(): boolean }) {
    this.#folder = folder;
    this.#newGeneration = caller.newGeneration;
    this.#isUnwanted = caller.isUnwanted;
    this.#database = this.#open();
    this.#inode = inodeOf(this.#path);
  }

  /** The store's generation. Opens a new file first if somebody has taken the old one away. */
  generation(): string {
    if (inodeOf(this.#path) !== this.#inode) {
      this.close();
      this.#database = this.#open();
      this.#inode = inodeOf(this.#path);
    }
    const row = this.#prepare(statements.READ_GENERATION).get();
    if (row !== undefined) return textOf(row.generation);
    this.#prepare(statements.WRITE_GENERATION).run(this.#newGeneration());
    return textOf(this.#prepare(statements.READ_GENERATION).get()?.generation);
  }

  apply({ documents, events }: BatchRows): void {
    this.#inTransaction(() => {
      for (const { kind, row } of documents) this.#prepare(statements.SAVE[kind]).run(...row);
      const saveEvent = this.#prepare(statements.SAVE_EVENT);
      for (const row of events) saveEvent.run(...row);
    });
  }

  search({ kind, project, filter, order, after, limit }: Search): readonly ListedDocument[] {
    const conditions = [compile(filter), ...(after === undefined ? [] : [afterPosition(order, after)])];
    const condition = every(conditions);
    const text = statements.search(kind, condition.text, orderText(order), NUMBER_COLUMNS[order.field]);
    const rows = this.#prepare(text).all(project, ...condition.values, limit);
    return rows.map((row) => {
      const document = storedDocument(row);
      const value = typeof row.place === "number" ? row.place : undefined;
      return { ...document, position: { value, id: document.id } };
    });
  }

  count({ kind, project, filter }: { kind: Kind; project: string; filter: Filter }, atMost: number): number {
    const condition = compile(filter);
    const statement = this.#prepare(statements.count(kind, condition.text));
    return Number(statement.get(project, ...condition.values, atMost)?.found ?? 0);
  }

  find(kind: Kind, project: string, id: string): StoredDocument | undefined {
    const row = this.#prepare(statements.find(kind)).get(project, id);
    return row === undefined ? undefined : storedDocument(row);
  }

  countVersions(project: string, id: string, version: number): number {
    return Number(this.#prepare(statements.COUNT_VERSIONS).get(project, id, version)?.found ?? 0);
  }

  size(): StoreSize {
    const row = this.#prepare(statements.SIZE).get();
    return { documents: Number(row?.documents ?? 0), bytes: Number(row?.bytes ?? 0) };
  }

  history(
    project: string,
    id: string,
    page: { afterVersion: number; limit: number },
  ): readonly StoredEvent[] {
    const rows = this.#prepare(statements.HISTORY).all(project, id, page.afterVersion, page.limit);
    return rows.map(storedEvent);
  }

  searchEvents({ project, filter, after, limit }: EventSearch): readonly StoredEvent[] {
    const condition = compile(filter);
    const statement = this.#prepare(statements.searchEvents(condition.text));
    return statement.all(project, after, ...condition.values, limit).map(storedEvent);
  }

  summary(project: string): ProjectSummary {
    const failures = this.#prepare(statements.TOP_FAILURES).all(project);
    return {
      jobs: this.#countByStatus("job", project),
      missions: this.#countByStatus("mission", project),
      failures: failures.map((row) => {
        const [task, errorType] = JSON.parse(textOf(row.failure)) as [string, string];
        return { task, errorType, count: Number(row.found), lastEndMs: Number(row.last ?? 0) };
      }),
    };
  }

  #countByStatus(kind: Kind, project: string): ReadonlyMap<string, number> {
    const rows = this.#prepare(statements.countByStatus(kind)).all(project);
    return new Map(rows.map((row) => [textOf(row.status).toUpperCase(), Number(row.found)]));
  }

  /** Forgets everything; the next `generation` is a new one. */
  reset(): void {
    this.#inTransaction(() => this.#database.exec(statements.FORGET));
  }

  close(): void {
    this.#prepared.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  get #path(): string {
    return join(this.#folder, FILE);
  }

  /** Opens the file. Several may do so at once, and SQLite does not wait for all of what a first one does. */
  #open(): DatabaseSync {
    for (let waitedMs = 0; ; waitedMs += OPEN_PAUSE_MS) {
      try {
        return this.#openOnce();
      } catch (error) {
        if (!isLocked(error) || waitedMs >= BUSY_LIMIT_MS) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_PAUSE_MS);
      }
    }
  }

  #openOnce(): DatabaseSync {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(this.#path, { timeout: BUSY_LIMIT_MS });
    try {
      database.exec(statements.OPEN);
      database.function("wanted", () => this.#requireWanted());
      const found = Number(database.prepare("pragma user_version").get()?.user_version ?? 0);
      if (found === 0 || found === statements.LAYOUT) {
        database.exec(
          `begin immediate; ${statements.CREATE} pragma user_version = ${statements.LAYOUT}; commit;`,
        );
        return database;
      }
    } catch (error) {
      database.close();
      throw error;
    }
    database.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(this.#path + suffix, { force: true });
    return this.#openOnce();
  }

  #requireWanted(): number {
    if (this.#isUnwanted()) throw new Error("nobody waits for this answer any more");
    return 1;
  }

  /** Prepares a statement once. Conditions of queries are many, so the oldest go when there are too many. */
  #prepare(text: string): StatementSync {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    if (this.#prepared.size >= PREPARED_LIMIT) {
      const [oldest] = this.#prepared.keys();
      if (oldest !== undefined) this.#prepared.delete(oldest);
    }
    this.#prepared.set(text, statement);
    return statement;
  }

  #inTransaction(work: () => void): void {
    this.#database.exec("begin immediate");
    try {
      work();
      this.#database.exec("commit");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("rollback");
      throw error;
    }
  }
}

const BUSY = 5;
const LOCKED = 6;

/** Whether another connection holds the file: what failed may be tried again. */
export function isLocked(error: unknown): boolean {
  const { errcode = 0 } = error as { readonly errcode?: number };
  const code = errcode & 0xff;
  return code === BUSY || code === LOCKED;
}

function every(conditions: readonly Condition[]): Condition {
  return {
    text: conditions.map((condition) => condition.text).join(" and "),
    values: conditions.flatMap((condition) => condition.values),
  };
}

function storedDocument(row: Record<string, unknown>): StoredDocument {
  return { id: textOf(row.id), version: Number(row.version), body: textOf(row.body) };
}

function storedEvent(row: Record<string, unknown>): StoredEvent {
  return {
    eventId: textOf(row.event_id),
    aggregateId: textOf(row.id),
    version: Number(row.version),
    envelope: textOf(row.envelope),
  };
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("a text column of the read model holds no text");
  return value;
}
