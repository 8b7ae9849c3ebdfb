import { Fault, type Reason } from "@orrery/mesh/fault/fault";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Clock } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import type { ReadModel } from "./ports.ts";

/** Counting the documents of a large store takes tens of milliseconds: it is looked at this often. */
const SIZE_EVERY_MS = 15_000;

/** What is timed: everything that a service asks for often. */
const OPERATIONS = [
  "apply",
  "settle",
  "search",
  "count",
  "find",
  "history",
  "countVersions",
  "searchEvents",
  "summary",
] as const;

type Operation = (typeof OPERATIONS)[number];

/** What was given up or sent away: the read model did not fail, and its time tells nothing of it. */
const NOT_DONE: ReadonlySet<Reason> = new Set(["CANCELLED", "OVERLOADED"]);

/**
 * The same read model, whose work shows as `orrery_read_model_operation_duration_seconds`, its failures as
 * `orrery_read_model_errors_total`, by operation.
 */
export function measuredReadModel(readModel: ReadModel, metrics: Metrics, clock: Clock): ReadModel {
  const durations = metrics.histogram(
    "orrery_read_model_operation_duration_seconds",
    "Time that the read model took, by operation; apply writes, settle makes searchable.",
    ["operation"],
  );
  const errors = metrics.counter("orrery_read_model_errors_total", "What the read model failed to do.", [
    "operation",
  ]);
  for (const operation of OPERATIONS) errors.inc({ operation }, 0);
  const timed =
    <A extends readonly unknown[], R>(operation: Operation, run: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const startedMs = clock.monotonicMs();
      const observe = () => durations.observe({ operation }, (clock.monotonicMs() - startedMs) / 1_000);
      try {
        const answer = await run(...args);
        observe();
        return answer;
      } catch (failure) {
        if (failure instanceof Fault && NOT_DONE.has(failure.reason)) throw failure;
        observe();
        errors.inc({ operation });
        throw failure;
      }
    };
  return {
    ...readModel,
    apply: timed("apply", (batch) => readModel.apply(batch)),
    settle: timed("settle", () => readModel.settle()),
    search: timed("search", (search) => readModel.search(search)),
    count: timed("count", (search, atMost) => readModel.count(search, atMost)),
    find: timed("find", (kind, project, id) => readModel.find(kind, project, id)),
    history: timed("history", (project, id, page) => readModel.history(project, id, page)),
    countVersions: timed("countVersions", (project, id, version) =>
      readModel.countVersions(project, id, version),
    ),
    searchEvents: timed("searchEvents", (search) => readModel.searchEvents(search)),
    summary: timed("summary", (project, signal) => readModel.summary(project, signal)),
  };
}

/** Shows the size of the read model, again and again until the signal ends it. */
export async function showSize(readModel: ReadModel, metrics: Metrics, signal: AbortSignal): Promise<void> {
  const documents = metrics.gauge("orrery_read_model_documents", "Documents in the read model.");
  const bytes = metrics.gauge("orrery_read_model_bytes", "Bytes that the read model takes.");
  while (!signal.aborted) {
    try {
      const size = await readModel.size();
      documents.set(size.documents);
      bytes.set(size.bytes);
    } catch {
      // The read model's own probe says that it is away; the last size stays.
    }
    await wait(SIZE_EVERY_MS, signal);
  }
}
