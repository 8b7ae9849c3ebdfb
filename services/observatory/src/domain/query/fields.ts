import type { KeywordField, NumberField, WordPlace } from "../search-keys.ts";
import { closestName } from "./closest-name.ts";

/** What can be asked of a field. */
export type Field =
  | { readonly kind: "keyword"; readonly key: KeywordField; readonly place?: WordPlace }
  | { readonly kind: "status" }
  | { readonly kind: "words"; readonly place: WordPlace }
  /** One of several whole texts, such as the name of a step. */
  | { readonly kind: "member"; readonly place: WordPlace }
  | { readonly kind: "count" | "time" | "duration"; readonly key: NumberField }
  | { readonly kind: "label"; readonly key: string };

/** What is searched: jobs, missions, or the events about both. */
export type Searched = "jobs" | "missions" | "events";

const FIELDS: Readonly<Record<string, Field>> = {
  id: { kind: "keyword", key: "id" },
  task: { kind: "keyword", key: "task", place: "task" },
  queue: { kind: "keyword", key: "queue" },
  status: { kind: "status" },
  priority: { kind: "count", key: "priority" },
  attempt: { kind: "count", key: "attempt" },
  maxAttempts: { kind: "count", key: "maxAttempts" },
  created: { kind: "time", key: "created" },
  started: { kind: "time", key: "started" },
  finished: { kind: "time", key: "finished" },
  wait: { kind: "duration", key: "wait" },
  duration: { kind: "duration", key: "duration" },
  "error.type": { kind: "keyword", key: "errorType", place: "errorType" },
  "error.message": { kind: "words", place: "errorMessage" },
  worker: { kind: "keyword", key: "worker" },
  correlation: { kind: "keyword", key: "correlation" },
  mission: { kind: "keyword", key: "mission" },
  step: { kind: "keyword", key: "step" },
  event: { kind: "keyword", key: "event" },
  name: { kind: "keyword", key: "name", place: "name" },
};

const OF_MISSIONS: ReadonlySet<string> = new Set([
  "id",
  "name",
  "status",
  "step",
  "created",
  "started",
  "finished",
  "duration",
  "error.type",
  "error.message",
  "correlation",
]);
const STEP_OF_MANY: Field = { kind: "member", place: "step" };

/** Other names that people write for the same fields, the job's own field names among them. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["attempts", "attempt"],
  ["createtime", "created"],
  ["starttime", "started"],
  ["endtime", "finished"],
  ["ended", "finished"],
  ["correlationid", "correlation"],
  ["missionid", "mission"],
]);

/** Fields of the language that are not searchable yet, and what to do instead. */
const NOT_YET: Readonly<Record<string, string>> = {
  template: "there are no templates",
  version: "there are no templates with versions",
  "error.fp": "there are no fingerprints; use error.type and task",
  parent: "jobs have no parents",
  key: "concurrency keys are not indexed",
  actor: "who asked is not indexed",
  has: "what a job has is not indexed yet",
  is: "use status instead",
};

const NAMES = Object.keys(FIELDS);
const BY_LOWER_CASE = new Map(NAMES.map((name) => [name.toLowerCase(), name]));

/** Finds a field by the name that was written, or says why there is none. Letter case does not matter. */
export function fieldNamed(written: string, searched: Searched): Field | { readonly problem: string } {
  const lower = written.toLowerCase();
  const label = /^(?:label|tag)\.(.+)$/.exec(lower)?.[1];
  if (label !== undefined) return { kind: "label", key: label };
  const payload = /^(?:input|output)\..+$/.test(lower);
  if (payload) return { problem: `${written} is not indexed: inputs and outputs cannot be searched yet` };
  if (lower === "label" || lower === "tag") return { problem: `write ${lower}.KEY:value` };
  const name = BY_LOWER_CASE.get(ALIASES.get(lower)?.toLowerCase() ?? lower);
  const field = name === undefined ? undefined : FIELDS[name];
  if (name !== undefined && field !== undefined) return fieldOf(name, field, searched);
  const notYet = Object.hasOwn(NOT_YET, lower) ? NOT_YET[lower] : undefined;
  if (notYet !== undefined) return { problem: `${written}: cannot be searched yet: ${notYet}` };
  const names = NAMES.filter((known) => searchedBy(known, searched));
  const meant = closestName(written, [...names, "label."]);
  const hint = meant === undefined ? `fields are ${names.join(", ")}, label.KEY` : `did you mean ${meant}?`;
  return { problem: `there is no field "${written}"; ${hint}` };
}

function searchedBy(name: string, searched: Searched): boolean {
  if (searched === "missions") return OF_MISSIONS.has(name);
  return searched === "events" || (name !== "event" && name !== "name");
}

function fieldOf(name: string, field: Field, searched: Searched): Field | { readonly problem: string } {
  if (searchedBy(name, searched)) return searched === "missions" && name === "step" ? STEP_OF_MANY : field;
  const asked = (["jobs", "missions", "events"] as const).filter((other) => searchedBy(name, other));
  return { problem: `${name}: can be asked of ${asked.join(" and ")} only` };
}
