import { createBatcher } from "@orrery/mesh/batching/batcher";
import { Fault } from "@orrery/mesh/fault/fault";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { type KeyedRequest, type KeyState, keyReused, storedAnswer } from "@orrery/mesh/idempotency/keys";
import type { Announcements } from "@orrery/mesh/outbox/announcements";
import type { Transaction } from "@orrery/mesh/postgres/pool";
import { ATTR } from "@orrery/mesh/telemetry/attributes";
import { isTraced, openItemSpan } from "@orrery/mesh/telemetry/item-span";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import { uuidV7 } from "@orrery/mesh/time/clock";
import type { Job, Moved } from "../domain/job.ts";
import { checkTimes, type Submission, submit } from "../domain/submission.ts";
import type { DatabaseClock } from "./database-clock.ts";
import type { Change, Facts, IdempotencyKeys, InTransaction, Jobs, Pair, Queues } from "./ports.ts";
import { createRegister, noRoom, type Register } from "./register.ts";

const MAX_ITEMS = 500;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_QUEUED = 20_000;

/** One job to be submitted. */
export interface SubmitItem {
  readonly submission: Submission;
  readonly principal: string;
  readonly inputText: string | undefined;
  /** With an idempotency key. */
  readonly keyed: KeyedRequest | undefined;
}

/** An accepted job, or the stored answer to an earlier request with the same key. */
export type Submitted = { readonly job: Job } | { readonly replay: Uint8Array };

export interface SubmitDeps {
  readonly jobs: Jobs;
  readonly facts: Facts;
  readonly queues: Queues;
  readonly keys: IdempotencyKeys;
  readonly inTransaction: InTransaction;
  readonly clock: DatabaseClock;
  readonly announcements: Announcements<Moved>;
  /** Where the items that wait for a batch show. */
  readonly metrics?: Metrics;
  /** Writes a job as it is answered, to be stored with its key. */
  readonly encodeJob: (job: Job) => Uint8Array;
}

/** Takes jobs from callers. */
export interface SubmitJobs {
  /**
   * Submits one job; it is durable when this resolves. Submissions that come in while others are written
   * share one transaction, whoever they come from.
   *
   * @throws Fault `INVALID_REQUEST` · `IDEMPOTENCY_IN_FLIGHT` · `IDEMPOTENCY_KEY_REUSED` · `OVERLOADED` ·
   * `DEPENDENCY_UNAVAILABLE`
   */
  submit(item: SubmitItem): Promise<Submitted>;
  /**
   * Submits what came in one call, 500 to a transaction. One result for each, in order: a transaction that fails
   * concerns its own items.
   *
   * @throws Fault as `submit`, where all of them failed
   */
  submitAll(items: readonly SubmitItem[]): Promise<readonly (Submitted | Fault)[]>;
  /**
   * Submits many under one key of their own: all of them and the answer in one transaction, or the stored
   * answer.
   */
  submitKeyed(
    items: readonly (SubmitItem | Fault)[],
    keyed: KeyedRequest,
    encode: (results: readonly (Submitted | Fault)[]) => Uint8Array,
  ): Promise<{ results: readonly (Submitted | Fault)[] } | { replay: Uint8Array }>;
  /** Takes nothing more, and resolves when everything taken has its answer. */
  close(): Promise<void>;
}

/** Submissions of all callers, each batch one transaction. */
export function createSubmitJobs(deps: SubmitDeps): SubmitJobs {
  const register = createRegister(deps.queues);

  const run = async (items: readonly SubmitItem[]): Promise<readonly (Submitted | Fault)[]> => {
    const spans = openSubmitSpans(items);
    try {
      const written = await deps.inTransaction((tx) => submitAll(deps, register, tx, items), {
        projects: projectsOf(items),
      });
      spans.committed(written.results);
      committed(written);
      return written.results;
    } finally {
      spans.end();
    }
  };
  const committed = ({ changes, entries }: Written): void => {
    register.remember(entries);
    deps.announcements.announce(changes);
  };
  const batcher = createBatcher<SubmitItem, Submitted>({
    name: "submit",
    maxItems: MAX_ITEMS,
    maxQueued: MAX_QUEUED,
    metrics: deps.metrics,
    maxWeight: MAX_BYTES,
    weigh: ({ inputText }) => inputText?.length ?? 0,
    run,
  });

  return {
    submit: (item) => batcher.submit(item),
    submitAll: async (items) => {
      const chunks = inChunks(items, MAX_ITEMS);
      const settled = await Promise.allSettled(chunks.map((chunk) => batcher.submitAll(chunk)));
      const failed = settled.find((one) => one.status === "rejected");
      if (failed !== undefined && !settled.some((one) => one.status === "fulfilled")) throw failed.reason;
      // What is written stays written: what failed another chunk is said of that chunk's items alone.
      return settled.flatMap((one, index) =>
        one.status === "rejected"
          ? (chunks[index] ?? []).map(() => faultFrom(one.reason))
          : one.value.map(asFault),
      );
    },
    submitKeyed: async (items, keyed, encode) => {
      const sound = items.filter((item): item is SubmitItem => !(item instanceof Fault));
      const outcome = await deps.inTransaction(
        async (tx) => {
          const [state] = await deps.keys.claimAll(tx, [keyed]);
          const replay = storedAnswer(keyed, state ?? { kind: "new" });
          if (replay !== undefined) return { replay };
          const written = await submitAll(deps, register, tx, sound);
          const results = inPlace(items, written.results);
          deps.keys.storeAll(tx, [{ ...keyed, response: encode(results) }]);
          return { ...written, results };
        },
        { projects: [keyed.project] },
      );
      if ("replay" in outcome) return outcome;
      committed(outcome);
      return { results: outcome.results };
    },
    close: () => batcher.close(),
  };
}

interface Written {
  readonly results: readonly (Submitted | Fault)[];
  readonly changes: readonly Change[];
  readonly entries: readonly Pair[];
}

/** Decides each item, writes what is accepted, and answers each in order. */
async function submitAll(
  deps: SubmitDeps,
  register: Register,
  tx: Transaction,
  items: readonly SubmitItem[],
): Promise<Written> {
  const nowMs = deps.clock.nowMs();
  const taken = await claimKeys(deps, tx, items);
  const made = items.map((item, index) =>
    taken[index] === undefined ? accept(item, nowMs, uuidV7(deps.clock)) : undefined,
  );
  const { entries, has } = await register.enter(tx, made.flatMap(jobOf));
  const results: (Submitted | Fault)[] = [];
  const changes: Change[] = [];
  const answers: (KeyedRequest & { response: Uint8Array })[] = [];
  items.forEach((item, index) => {
    const known = taken[index];
    if (known !== undefined && known.kind === "settled") {
      results.push(known.result);
      return;
    }
    const first = known?.kind === "same_as" ? results[known.index] : undefined;
    if (first !== undefined) {
      results.push("job" in first ? { replay: deps.encodeJob(first.job) } : first);
      return;
    }
    const change = made[index];
    if (change === undefined) throw new RangeError("a submission was not decided");
    if (change instanceof Fault || !has(change.job)) {
      results.push(change instanceof Fault ? change : noRoom(change.job));
      return;
    }
    changes.push(change);
    results.push({ job: change.job });
    if (item.keyed !== undefined) answers.push({ ...item.keyed, response: deps.encodeJob(change.job) });
  });
  if (changes.length > 0) {
    deps.jobs.insertAll(tx, changes);
    deps.facts.appendAll(tx, changes);
  }
  if (answers.length > 0) deps.keys.storeAll(tx, answers);
  return { results, changes, entries };
}

/** Makes a job of an item, or says why not. */
export function accept(item: SubmitItem, nowMs: number, id: string): Change | Fault {
  const problems = checkTimes(item.submission, nowMs);
  if (problems.length > 0) {
    const detail = problems.map(({ field, description }) => `${field} ${description}`).join("; ");
    return new Fault("INVALID_REQUEST", { detail, fieldViolations: problems });
  }
  return { ...submit(item.submission, id, nowMs), inputText: item.inputText, principal: item.principal };
}

type Claim =
  | { readonly kind: "settled"; readonly result: Submitted | Fault }
  | { readonly kind: "same_as"; readonly index: number };

/**
 * I18: finds out, by index, which items are answered already: by an earlier transaction, or by an item before
 * them.
 */
async function claimKeys(
  { keys }: SubmitDeps,
  tx: Transaction,
  items: readonly SubmitItem[],
): Promise<readonly (Claim | undefined)[]> {
  const claims: (Claim | undefined)[] = items.map(() => undefined);
  const first = new Map<string, { index: number; request: KeyedRequest }>();
  items.forEach(({ keyed }, index) => {
    if (keyed === undefined) return;
    const name = `${keyed.project} ${keyed.route} ${keyed.key}`;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, { index, request: keyed });
    else if (earlier.request.fingerprint === keyed.fingerprint)
      claims[index] = { kind: "same_as", index: earlier.index };
    else claims[index] = { kind: "settled", result: keyReused(keyed) };
  });
  if (first.size === 0) return claims;
  const asked = [...first.values()];
  const states = await keys.claimAll(
    tx,
    asked.map(({ request }) => request),
  );
  asked.forEach(({ index, request }, position) => {
    const answer = answerOrFault(request, states[position] ?? { kind: "new" });
    if (answer === undefined) return;
    claims[index] = { kind: "settled", result: answer instanceof Fault ? answer : { replay: answer } };
  });
  return claims;
}

/** As `storedAnswer`, with the fault as a value: for requests that share a transaction. */
function answerOrFault(request: KeyedRequest, state: KeyState): Uint8Array | Fault | undefined {
  try {
    return storedAnswer(request, state);
  } catch (failure) {
    if (failure instanceof Fault) return failure;
    throw failure;
  }
}

const jobOf = (change: Change | Fault | undefined): readonly Job[] =>
  change === undefined || change instanceof Fault ? [] : [change.job];

const asFault = (result: Submitted | Error): Submitted | Fault =>
  result instanceof Error ? faultFrom(result) : result;

function inChunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  if (items.length <= size) return [items];
  const chunks: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return chunks;
}

function inPlace(
  items: readonly (SubmitItem | Fault)[],
  results: readonly (Submitted | Fault)[],
): readonly (Submitted | Fault)[] {
  let next = 0;
  return items.map((item) => {
    if (item instanceof Fault) return item;
    const result = results[next];
    next += 1;
    if (result === undefined) throw new RangeError("a submission got no result");
    return result;
  });
}

/** The batch as each item's trace shows it: taken, committed, answered. */
export function openSubmitSpans(items: readonly SubmitItem[]) {
  const spans = items.map(({ submission: { traceparent, project } }) => {
    if (!isTraced(traceparent)) return undefined;
    const attributes = { [ATTR.PROJECT]: project };
    const work = openItemSpan(traceparent, "job.submit", { kind: "server", attributes });
    if (work === undefined) return undefined;
    const commit = openItemSpan(work.traceparent, "postgres.transaction", { kind: "client", attributes });
    return { work, commit };
  });
  let written: readonly (Submitted | Fault)[] | undefined;
  return {
    committed(results: readonly (Submitted | Fault)[]): void {
      written = results;
      for (const span of spans) span?.commit?.end();
    },
    end(): void {
      for (const [index, span] of spans.entries()) {
        if (span === undefined) continue;
        const result = written?.[index];
        if (written === undefined) span.commit?.end({ failed: true });
        const job = result !== undefined && "job" in result ? { [ATTR.AGGREGATE]: result.job.id } : {};
        span.work.end({ failed: written === undefined, attributes: job });
      }
    },
  };
}

const projectsOf = (items: readonly SubmitItem[]): readonly string[] => [
  ...new Set(items.map(({ submission }) => submission.project)),
];
