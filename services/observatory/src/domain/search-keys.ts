import { fold, indexedWordsOf } from "./text.ts";

/** Fields compared as whole texts, folded. */
export const KEYWORD_FIELDS = [
  "id",
  "task",
  "queue",
  "status",
  "errorType",
  "worker",
  "correlation",
  "mission",
  "step",
  "event",
] as const;
export type KeywordField = (typeof KEYWORD_FIELDS)[number];

/** Fields compared as numbers: counts, epoch milliseconds and milliseconds. */
export const NUMBER_FIELDS = [
  "priority",
  "attempt",
  "maxAttempts",
  "created",
  "started",
  "finished",
  "wait",
  "duration",
] as const;
export type NumberField = (typeof NUMBER_FIELDS)[number];

/**
 * What a job, or a job as an event left it, is found by. Everything here is folded already, so that the
 * engines behind the read model compare and never interpret.
 */
export interface SearchKeys {
  readonly keywords: Readonly<Partial<Record<KeywordField, string>>>;
  readonly numbers: Readonly<Partial<Record<NumberField, number>>>;
  /** Folded values by label key. */
  readonly labels: Readonly<Record<string, string>>;
  /** Words, each with the place it was found in: see `wordToken`. */
  readonly words: readonly string[];
}

/** Where a word was found: task, error type, error message, any label, or one label by its key. */
export type WordPlace = "task" | "errorType" | "errorMessage" | "labels" | `label.${string}`;

const MARK = { task: "t", errorType: "e", errorMessage: "m", labels: "l" } as const;

/** The places in which a bare word is looked for. */
export const BARE_PLACES = ["task", "errorType", "errorMessage", "labels"] as const;

/**
 * A word together with its place, as one text without blanks: label keys hold neither a blank nor a colon.
 */
export function wordToken(place: WordPlace, word: string): string {
  return `${place in MARK ? MARK[place as keyof typeof MARK] : place}:${word}`;
}

/** What the search knows of a job; absent means that the job does not have it. */
export interface SearchedJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly status: string;
  readonly priority: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly createMs: number;
  readonly runMs: number | undefined;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly errorType: string | undefined;
  readonly errorMessage: string | undefined;
  /** Of the attempt that the latest transition began or ended. */
  readonly worker: string | undefined;
  readonly correlation: string | undefined;
  readonly mission: string | undefined;
  readonly step: string | undefined;
}

/**
 * Makes the keys of a job.
 *
 * `wait` is the time from when the job could run to its latest start; `duration` from that start to its end.
 */
export function searchKeysOf(job: SearchedJob): SearchKeys {
  const { startMs, endMs } = job;
  return {
    keywords: folded({ ...job, event: undefined }),
    numbers: present({
      priority: job.priority,
      attempt: job.attempt,
      maxAttempts: job.maxAttempts,
      created: job.createMs,
      started: startMs,
      finished: endMs,
      wait: startMs === undefined ? undefined : Math.max(0, startMs - Math.max(job.createMs, job.runMs ?? 0)),
      duration: startMs === undefined || endMs === undefined ? undefined : Math.max(0, endMs - startMs),
    }),
    labels: Object.fromEntries(Object.entries(job.labels).map(([key, value]) => [key, fold(value)])),
    words: [...tokensOf(job)],
  };
}

/** The keys of an event: those of the job after it, and its name. */
export function eventKeysOf(job: SearchKeys, name: string): SearchKeys {
  return { ...job, keywords: { ...job.keywords, event: fold(name) } };
}

function folded(
  texts: Readonly<Partial<Record<KeywordField, string | undefined>>>,
): Partial<Record<KeywordField, string>> {
  const found: Partial<Record<KeywordField, string>> = {};
  for (const field of KEYWORD_FIELDS) {
    const text = texts[field];
    if (text !== undefined && text !== "") found[field] = fold(text);
  }
  return found;
}

function present(
  numbers: Readonly<Record<NumberField, number | undefined>>,
): Partial<Record<NumberField, number>> {
  const found: Partial<Record<NumberField, number>> = {};
  for (const field of NUMBER_FIELDS) {
    const value = numbers[field];
    if (value !== undefined) found[field] = value;
  }
  return found;
}

function tokensOf(job: SearchedJob): ReadonlySet<string> {
  const tokens = new Set<string>();
  const add = (place: WordPlace, text: string | undefined) => {
    for (const word of indexedWordsOf(text ?? "")) tokens.add(wordToken(place, word));
  };
  add("task", job.task);
  add("errorType", job.errorType);
  add("errorMessage", job.errorMessage);
  for (const [key, value] of Object.entries(job.labels)) {
    add("labels", value);
    add(`label.${key}`, value);
  }
  return tokens;
}
