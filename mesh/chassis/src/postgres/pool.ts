import pg from "pg";
import type { Counter } from "prom-client";
import { Fault } from "../fault/fault.ts";
import type { IdentityFiles } from "../identity/identity-files.ts";
import type { Breaker } from "../resilience/breaker.ts";
import { METRIC } from "../telemetry/attributes.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type Chance, type Clock, systemChance, systemClock } from "../time/clock.ts";
import { wait } from "../time/wait.ts";
import { type Bound, bound, type Statement } from "./batch.ts";
import { columnTypes } from "./column-types.ts";
import { Connection, LEAST_TIME_MS, SILENCE_MARGIN_MS } from "./connection.ts";
import { databaseFault, lostAgainstAnother } from "./database-fault.ts";
import { OpenTransaction, type Transaction } from "./transaction.ts";

export type { Statement } from "./batch.ts";
export type { Transaction } from "./transaction.ts";

/** When a piece of work has to be over. */
export interface WorkLimits {
  /**
   * By the monotonic clock (`Clock.monotonicMs`), as `call.deadlineMs` is. @default the statement timeout
   * only
   */
  readonly deadlineMs?: number | undefined;
  /** Milliseconds that one statement of a transaction may take, where that is not the pool's own limit. */
  readonly statementTimeoutMs?: number | undefined;
}

/** What a transaction may see, and until when. */
export interface TransactionLimits extends WorkLimits {
  /**
   * The projects whose rows the transaction may touch: `orrery.projects` for row-level security, as an array
   * literal.
   *
   * @default platform work, `orrery.projects` = `*`
   */
  readonly projects?: readonly string[] | undefined;
}

/** Connections to one database as one role. */
export interface Pool {
  /**
   * Runs one statement on its own, as platform work.
   *
   * @throws Fault `DEPENDENCY_UNAVAILABLE` (retry after `retryAfterMs`; a write may have happened),
   * `DEADLINE_EXCEEDED`, `OVERLOADED`, `INTERNAL`
   */
  query<R>(statement: Statement, values: readonly unknown[], limits?: WorkLimits): Promise<R[]>;
  /**
   * Runs work in one transaction, at READ COMMITTED, and commits unless it throws.
   *
   * After a deadlock or a serialization failure it runs again, three times in all, so work must have no
   * effect outside of the transaction. BEGIN, the limits and the projects travel with the first statement, and
   * COMMIT with what was posted last; what was only posted is one message, and a transaction by that.
   *
   * @throws Fault what work threw; `DEPENDENCY_UNAVAILABLE` also when the answer to COMMIT was lost: then
   * repeat it under its natural key, never blindly
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, limits?: TransactionLimits): Promise<T>;
  /** Asks the database for a sign of life, past the breaker. @throws Fault `DEPENDENCY_UNAVAILABLE` */
  ping(): Promise<void>;
  /** Closes the connections, at most 5 s after the last work. */
  end(): Promise<void>;
}

/** What a pool is made of. */
export interface PoolOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly role: string;
  /** The most connections, 1 or more. */
  readonly size: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /**
   * Key and certificate for TLS; the role is the certificate's CN. Without it the connection is plain, for
   * tests.
   */
  readonly identity?: Pick<IdentityFiles, "current"> | undefined;
  /** Milliseconds that one statement may take, and wait for a lock. */
  readonly statementTimeoutMs: number;
  /** Opens when the database fails; share one among the pools of a process. @default none */
  readonly breaker?: Pick<Breaker, "guard"> | undefined;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

const IDLE_IN_TRANSACTION_MS = 5_000;
/** Work may wait for a connection for so long. */
const CONNECT_TIMEOUT_MS = 2_000;
/** Pieces of work that may wait for a connection; one more is refused as `OVERLOADED`. */
const MAX_WAITING = 1_000;
const END_WITHIN_MS = 5_000;
const IDLE_CONNECTION_MS = 60_000;
/**
 * A statement is planned once for each connection, by the index that its author names. Plans made for each run cost
 * more than the run (a lease: 1.8 ms of planning for 0.1 ms), and a plan kept from a table that was empty then, a
 * sequential scan, would be kept for a million rows.
 */
const STABLE_PLANS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off";
const SET_LOCAL: Statement = { name: "set_local", text: "select set_config($1, $2, true)" };
const RUNS = 3;
/** The reasons that tell of the database, and not of what was asked of it. */
const OWN_REASONS: ReadonlySet<string> = new Set([
  "DEPENDENCY_UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "OVERLOADED",
  "INTERNAL",
]);
const RERUN_DELAY_MS = 20;

/** Opens a pool. Connects when first used, so it can be opened before the database is up. */
export function openPool(options: PoolOptions): Pool {
  return new DatabasePool(options);
}

class DatabasePool implements Pool {
  readonly #options: PoolOptions;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #pool: pg.Pool;
  readonly #errors: Counter<"pool" | "reason"> | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#chance = options.chance ?? systemChance;
    this.#pool = new pg.Pool({
      ...connectionSettings(options),
      max: options.size,
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      Client: clientFor(options.identity),
    });
    // An idle connection that breaks is the pool's to replace; unheard, the event would end the process.
    this.#pool.on("error", (error) => {
      options.logger.warn("an idle database connection broke", { reason: error.message });
    });
    // Nor does the pool listen to one in use that breaks between two statements; the next of them fails and says why.
    this.#pool.on("connect", (client) => void client.on("error", () => undefined));
    this.#errors = options.metrics?.counter(
      METRIC.POSTGRES_ERRORS,
      "Work that the database did not do, by pool and reason.",
      ["pool", "reason"],
    );
    // From the first scrape on, so that a rate sees the first of each as well.
    for (const reason of OWN_REASONS) this.#errors?.inc({ pool: this.#purpose, reason }, 0);
    this.#showConnections();
  }

  query<R>(statement: Statement, values: readonly unknown[], limits: WorkLimits = {}): Promise<R[]> {
    return this.#guarded(limits, async (connection) => {
      const [result] = await connection.send([bound(statement, values)]);
      return (result?.rows ?? []) as R[];
    });
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>, limits: TransactionLimits = {}): Promise<T> {
    return this.#guarded(limits, async (connection) => {
      const tx = new OpenTransaction(connection, this.#settings(limits));
      try {
        const result = await work(tx);
        await tx.commit();
        return result;
      } catch (failure) {
        await tx.rollback();
        throw failure;
      }
    });
  }

  async ping(): Promise<void> {
    await this.#withConnection({}, async (connection) => {
      await connection.exec("select 1");
    });
  }

  async end(): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#pool.end(), wait(END_WITHIN_MS, over.signal)]);
    over.abort();
  }

  /**
   * Runs through the breaker, which hears only of a database that is away: refusals and deadlines are no news
   * of it.
   */
  async #guarded<T>(limits: WorkLimits, use: (connection: Connection) => Promise<T>): Promise<T> {
    const { breaker } = this.#options;
    if (breaker === undefined) return this.#runAgain(limits, use);
    const outcome = await breaker.guard(async () => {
      try {
        return { result: await this.#runAgain(limits, use) };
      } catch (failure) {
        if (failure instanceof Fault && failure.reason === "DEPENDENCY_UNAVAILABLE") throw failure;
        return { failure };
      }
    });
    if ("failure" in outcome) throw outcome.failure;
    return outcome.result;
  }

  async #runAgain<T>(limits: WorkLimits, use: (connection: Connection) => Promise<T>): Promise<T> {
    for (let run = 1; ; run += 1) {
      try {
        return await this.#withConnection(limits, use);
      } catch (failure) {
        if (run === RUNS || !lostAgainstAnother(failure)) {
          this.#count(failure);
          throw failure;
        }
      }
      await wait(RERUN_DELAY_MS * run * this.#chance.next());
    }
  }

  /** Refusals of the domain pass through here as well, and are no errors of the database. */
  #count(failure: unknown): void {
    if (!(failure instanceof Fault) || !OWN_REASONS.has(failure.reason)) return;
    this.#errors?.inc({ pool: this.#purpose, reason: failure.reason });
  }

  /** The replica is a label of its own: of `jobs-0 commands`, the series say `commands`. */
  get #purpose(): string {
    return this.#options.applicationName.split(" ").at(-1) ?? "";
  }

  #showConnections(): void {
    const { metrics, size } = this.#options;
    const pool = this.#purpose;
    metrics?.sampled(
      METRIC.POSTGRES_CONNECTIONS,
      "Connections of a pool, by what they do; waiting is work without one.",
      ["pool", "state"],
      (gauge) => {
        const { idleCount, totalCount, waitingCount } = this.#pool;
        gauge.set({ pool, state: "idle" }, idleCount);
        gauge.set({ pool, state: "busy" }, totalCount - idleCount);
        gauge.set({ pool, state: "waiting" }, waitingCount);
      },
    );
    metrics
      ?.gauge(METRIC.POSTGRES_POOL_SIZE, "The most connections that a pool may open.", ["pool"])
      .set({ pool }, size);
  }

  async #withConnection<T>(limits: WorkLimits, use: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await this.#checkOut(limits);
    const connection = new Connection(client, () => this.#remainingMs(limits));
    try {
      return await use(connection);
    } finally {
      // With an error the pool throws the connection away.
      client.release(connection.broken);
    }
  }

  async #checkOut(limits: WorkLimits): Promise<pg.PoolClient> {
    this.#refuseLate(limits);
    if (this.#pool.waitingCount >= MAX_WAITING) {
      const detail = `${MAX_WAITING} pieces of work wait for the database already`;
      throw new Fault("OVERLOADED", { detail, retryAfterMs: 1_000 });
    }
    // An idle connection that nobody waits for comes at once: no time limit to set up and take down again.
    const comesAtOnce = this.#pool.idleCount > this.#pool.waitingCount;
    const checkOut = this.#pool.connect();
    if (comesAtOnce) return checkOut;
    const over = new AbortController();
    try {
      const late = wait(this.#remainingMs(limits), over.signal).then(() => undefined);
      const client = await Promise.race([checkOut, late]);
      if (client !== undefined) return client;
    } catch (failure) {
      throw databaseFault(failure);
    } finally {
      over.abort();
    }
    // It may still come; nobody waits for it any more.
    checkOut.then(
      (client) => client.release(),
      (failure: unknown) =>
        this.#options.logger.debug("a late connection failed", { reason: String(failure) }),
    );
    throw databaseFault(new Error("no connection before the deadline"));
  }

  #refuseLate(limits: WorkLimits): void {
    if (this.#remainingMs(limits) < LEAST_TIME_MS) throw databaseFault(new Error("no time is left"), true);
  }

  /** What holds for the statements of one transaction only. */
  #settings({ projects, deadlineMs, statementTimeoutMs }: TransactionLimits): readonly Bound[] {
    const settings: Bound[] = [];
    if (deadlineMs !== undefined || statementTimeoutMs !== undefined) {
      const remainingMs = this.#remainingMs({ deadlineMs, statementTimeoutMs });
      // Early enough for its answer to be here before this side gives up: what is slow is then told from what
      // is silent.
      const limitMs = Math.max(1, Math.ceil(remainingMs - SILENCE_MARGIN_MS));
      settings.push(setting("statement_timeout", String(limitMs)));
    }
    if (projects !== undefined) settings.push(setting("orrery.projects", arrayLiteral(projects)));
    return settings;
  }

  /** Milliseconds that a statement may still take. */
  #remainingMs({ deadlineMs, statementTimeoutMs = this.#options.statementTimeoutMs }: WorkLimits): number {
    if (deadlineMs === undefined) return statementTimeoutMs;
    return Math.min(statementTimeoutMs, Math.max(0, deadlineMs - this.#clock.monotonicMs()));
  }
}

function connectionSettings(options: PoolOptions): pg.ClientConfig {
  return {
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.role,
    application_name: options.applicationName,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    types: columnTypes,
    options: `-c timezone=UTC -c datestyle=ISO -c orrery.projects=* ${STABLE_PLANS}`,
  };
}

/** A client that takes the newest leaf at each connect, so that a rotation needs no restart. */
function clientFor(identity: Pick<IdentityFiles, "current"> | undefined): new () => pg.ClientBase {
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(identity === undefined ? { ...config } : { ...config, ssl: tlsFrom(identity) });
    }
  };
}

function tlsFrom(identity: Pick<IdentityFiles, "current">): pg.ClientConfig["ssl"] {
  const { keyPem, certPem, caPem } = identity.current();
  return { key: keyPem, cert: certPem, ca: caPem, minVersion: "TLSv1.3", rejectUnauthorized: true };
}

const setting = (name: string, value: string): Bound => bound(SET_LOCAL, [name, value]);

/** @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, String.raw`\$&`)}"`).join(",")}}`;
}
