import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import type { TraceStore } from "../../application/ports.ts";
import type { Span } from "../../domain/span.ts";
import { TRACE_LIMITS, type TraceLimits } from "./trace-limits.ts";
import * as statements from "./trace-statements.ts";

const FILE = "traces.db";
/** Another process may be writing: it is never long, and who waits here holds up the whole process. */
const BUSY_LIMIT_MS = 250;

/** Keeps nothing: where there is no place to keep traces in. */
export const NO_TRACES: TraceStore = {
  add: (spans) => Promise.resolve(spans.length),
  read: () => Promise.resolve({ spans: [], whole: false }),
  close: () => undefined,
};

/**
 * Traces in one SQLite file, which several processes may share.
 *
 * On the thread of the service: at what the edge lets through, a few hundred spans in a second, its statements take
 * some milliseconds of each second, and a thread of its own would take 10 to 24 MiB at rest.
 *
 * @param folder - made if it is not there
 */
export function openTraceStore(options: { folder: string; clock: Clock; limits?: TraceLimits }): TraceStore {
  const { clock, limits = TRACE_LIMITS } = options;
  const database = openFile(options.folder);
  const prepared = new Map<string, StatementSync>();
  const prepare = (text: string): StatementSync => {
    const statement = prepared.get(text) ?? database.prepare(text);
    prepared.set(text, statement);
    return statement;
  };
  let sweptMs = Number.NEGATIVE_INFINITY;

  /** @returns how many spans had no room */
  const addTo = (traceId: string, spans: readonly Span[]): number => {
    prepare(statements.SEE_TRACE).run(traceId, clock.nowMs());
    const kept = Number(prepare(statements.FIND_TRACE).get(traceId)?.spans ?? 0);
    const admitted = spans.slice(0, Math.max(0, limits.spansInTrace - kept));
    let saved = 0;
    for (const span of admitted) saved += Number(prepare(statements.SAVE_SPAN).run(...rowOf(span)).changes);
    const dropped = spans.length - admitted.length;
    prepare(statements.COUNT_SPANS).run(saved, dropped, traceId);
    return dropped;
  };
  const drop = (traces: readonly Record<string, unknown>[]): void => {
    for (const { id } of traces) {
      prepare(statements.DROP_SPANS).run(String(id));
      prepare(statements.DROP_TRACE).run(String(id));
    }
  };
  const sweep = (): void => {
    if (clock.monotonicMs() < sweptMs + limits.sweepEveryMs) return;
    sweptMs = clock.monotonicMs();
    drop(prepare(statements.OLDER_THAN).all(clock.nowMs() - limits.ageMs, limits.sweptTraces));
    const size = prepare(statements.SIZE).get();
    const isOver = Number(size?.spans) > limits.spans || Number(size?.bytes) > limits.bytes;
    if (!isOver) return;
    drop(prepare(statements.OLDEST).all(limits.sweptTraces));
    // Until it is within its bounds, each addition sweeps.
    sweptMs = Number.NEGATIVE_INFINITY;
  };

  return {
    async add(spans) {
      return usable(() => {
        database.exec("begin immediate");
        try {
          let dropped = 0;
          for (const [traceId, own] of Map.groupBy(spans, (span) => span.traceId)) {
            dropped += addTo(traceId, own);
          }
          sweep();
          database.exec("commit");
          return dropped;
        } catch (error) {
          if (database.isTransaction) database.exec("rollback");
          throw error;
        }
      });
    },
    async read(traceId) {
      return usable(() => {
        const trace = prepare(statements.FIND_TRACE).get(traceId);
        const spans = prepare(statements.READ_SPANS).all(traceId).map(spanOf);
        return { spans, whole: trace !== undefined && Number(trace.dropped) === 0 };
      });
    },
    close() {
      prepared.clear();
      if (database.isOpen) database.close();
    },
  };
}

function openFile(folder: string): DatabaseSync {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE);
  const database = new DatabaseSync(path, { timeout: BUSY_LIMIT_MS });
  database.exec(statements.OPEN);
  const found = Number(database.prepare("pragma user_version").get()?.user_version ?? 0);
  if (found === 0 || found === statements.LAYOUT) {
    database.exec(
      `begin immediate; ${statements.CREATE} pragma user_version = ${statements.LAYOUT}; commit;`,
    );
    return database;
  }
  database.close();
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  return openFile(folder);
}

function usable<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const detail = "The trace store's file cannot be used at the moment.";
    throw new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: 1_000 }, { cause: error });
  }
}

function rowOf(span: Span): (string | number)[] {
  const { traceId, spanId, parentSpanId, name, service, startUs, durationUs, failed, attributes } = span;
  const times = [startUs, durationUs, failed ? 1 : 0];
  return [traceId, spanId, parentSpanId, name, service, ...times, JSON.stringify(attributes)];
}

function spanOf(row: Record<string, unknown>): Span {
  return {
    traceId: String(row.trace_id),
    spanId: String(row.span_id),
    parentSpanId: String(row.parent_id),
    name: String(row.name),
    service: String(row.service),
    startUs: Number(row.start_us),
    durationUs: Number(row.duration_us),
    failed: row.failed === 1,
    attributes: JSON.parse(String(row.attributes)) as Record<string, string>,
  };
}
