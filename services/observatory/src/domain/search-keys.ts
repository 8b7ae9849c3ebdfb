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
  "name",
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
 * What a job, a mission or an alert is found by, or one as an event left it. Everything here is folded
 * already, so that the engines behind the read model compare and never interpret.
 */
export interface SearchKeys {
  readonly keywords: Readonly<Partial<Record<KeywordField, string>>>;
  readonly numbers: Readonly<Partial<Record<NumberField, number>>>;
  /** Folded values by label key. */
  readonly labels: Readonly<Record<string, string>>;
  /** Words, each with the place it was found in: see `wordToken`. */
  readonly words: readonly string[];
}

/**
 * Where a word was found: task, error type, error message, name, the name of one of several steps, any label,
 * or one label by its key.
 */
export type WordPlace =
  | "task"
  | "errorType"
  | "errorMessage"
  | "name"
  | "step"
  | "labels"
  | `label.${string}`;

const MARK = { task: "t", errorType: "e", errorMessage: "m", name: "n", step: "s", labels: "l" } as const;

/** The places in which a bare word is looked for. */
export const BARE_PLACES = ["task", "errorType", "errorMessage", "name", "labels"] as const;

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
    keywords: folded(job),
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
    labels: foldedLabels(job.labels),
    words: [
      ...wordsIn([
        ["task", job.task],
        ["errorType", job.errorType],
        ["errorMessage", job.errorMessage],
        ...labelTexts(job.labels),
      ]),
    ],
  };
}

/** What the search knows of a mission; absent means that the mission does not have it. */
export interface SearchedMission {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly createMs: number;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly errorType: string | undefined;
  readonly errorMessage: string | undefined;
  readonly correlation: string | undefined;
  readonly steps: readonly { readonly name: string; readonly task: string }[];
}

/**
 * Makes the keys of a mission. It has many steps, so their names are words; `duration` is the time from its
 * launch to its end.
 */
export function missionKeysOf(mission: SearchedMission): SearchKeys {
  const { createMs, startMs, endMs, steps } = mission;
  const words = wordsIn([
    ["name", mission.name],
    ["errorType", mission.errorType],
    ["errorMessage", mission.errorMessage],
    ...steps.map(({ task }) => ["task", task] as const),
    ...labelTexts(mission.labels),
  ]);
  for (const { name } of steps) words.add(wordToken("step", fold(name)));
  return {
    keywords: folded(mission),
    numbers: present({
      created: createMs,
      started: startMs,
      finished: endMs,
      duration: endMs === undefined ? undefined : Math.max(0, endMs - createMs),
    }),
    labels: foldedLabels(mission.labels),
    words: [...words],
  };
}

/** What the search knows of an alert. */
export interface SearchedAlert {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  /** The higher, the worse. */
  readonly severity: number;
  readonly startMs: number;
  readonly endMs: number | undefined;
}

/** Makes the keys of an alert: its severity is what `priority` is to a job. */
export function alertKeysOf(alert: SearchedAlert): SearchKeys {
  const { severity, startMs, endMs } = alert;
  return {
    keywords: folded(alert),
    numbers: present({ priority: severity, created: startMs, started: startMs, finished: endMs }),
    labels: {},
    words: [],
  };
}

/** The keys of an event: those of its aggregate after it, its name, and what only an event has. */
export function eventKeysOf(
  after: SearchKeys,
  name: string,
  about: { readonly mission?: string; readonly step?: string | undefined } = {},
): SearchKeys {
  return { ...after, keywords: { ...after.keywords, ...folded(about), event: fold(name) } };
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
  numbers: Readonly<Partial<Record<NumberField, number | undefined>>>,
): Partial<Record<NumberField, number>> {
  const found: Partial<Record<NumberField, number>> = {};
  for (const field of NUMBER_FIELDS) {
    const value = numbers[field];
    if (value !== undefined) found[field] = value;
  }
  return found;
}

function foldedLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, fold(value)]));
}

function labelTexts(labels: Readonly<Record<string, string>>): readonly (readonly [WordPlace, string])[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ["labels", value] as const,
    [`label.${key}`, value] as const,
  ]);
}

function wordsIn(texts: readonly (readonly [WordPlace, string | undefined])[]): Set<string> {
  const tokens = new Set<string>();
  for (const [place, text] of texts) {
    for (const word of indexedWordsOf(text ?? "")) tokens.add(wordToken(place, word));
  }
  return tokens;
}
