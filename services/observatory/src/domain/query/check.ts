import { BARE_PLACES, type KeywordField, type WordPlace, wordToken } from "../search-keys.ts";
import { fold, wordsOf } from "../text.ts";
import { closestName } from "./closest-name.ts";
import { type Field, fieldNamed, type Searched } from "./fields.ts";
import { all, any, type Filter } from "./filter.ts";
import { isRelative, readCount, readDuration, readMoment, type Stretch } from "./moments.ts";
import type { Written } from "./parse.ts";
import { QueryRefused } from "./query-problem.ts";
import { statusesOf } from "./statuses.ts";
import type { Token, WrittenValue } from "./tokens.ts";

type Term = Extract<Token, { is: "term" }>;

/** What a query is checked against. */
export interface Checking {
  readonly searched: Searched;
  /** What relative times count from, epoch milliseconds. */
  readonly nowMs: number;
}

/** Gives a written query its meaning, or refuses it by name. */
export function check(written: Written, checking: Checking): Filter {
  switch (written.is) {
    case "or":
    case "and": {
      const [first, ...rest] = written.of.map((part) => check(part, checking));
      if (first === undefined) return all([]);
      return written.is === "or" ? any([first, ...rest]) : all([first, ...rest]);
    }
    case "not":
      return { is: "not", of: check(written.of, checking) };
    case "text":
      return bareText(written.value);
    case "term":
      return term(written, checking);
  }
}

function term(written: Term, checking: Checking): Filter {
  const field = fieldNamed(written.field, checking.searched);
  if ("problem" in field) throw new QueryRefused(field.problem, written.at, written.field.length);
  const [first, ...rest] = written.values.map((value) => meaning(field, written, value, checking));
  if (first === undefined) return all([]);
  return any(merged([first, ...rest]));
}

/** `a,b,c` of one field is one leaf, not three. */
function merged(filters: readonly [Filter, ...Filter[]]): readonly [Filter, ...Filter[]] {
  const [first] = filters;
  if (first.is !== "one of" || !filters.every((filter) => filter.is === "one of")) return filters;
  const values = filters.flatMap((filter) => (filter.is === "one of" ? filter.values : []));
  return [{ is: "one of", field: first.field, values: [...new Set(values)] }];
}

function meaning(field: Field, written: Term, value: WrittenValue, checking: Checking): Filter {
  switch (field.kind) {
    case "keyword":
      return keyword(field, written, value);
    case "status":
      return status(written, value, statusesOf(checking.searched));
    case "member":
      return member(field.place, written, value);
    case "words":
      refuseUnless(written, [":", ":~"]);
      return words(field.place, value);
    case "label":
      return label(field.key, written, value);
    case "count":
    case "time":
    case "duration":
      return number(field, written, value, checking);
  }
}

function keyword(
  field: { readonly key: KeywordField; readonly place?: WordPlace },
  written: Term,
  value: WrittenValue,
): Filter {
  refuseUnless(written, field.place === undefined ? [":"] : [":", ":~"]);
  if (written.operator === ":~" && field.place !== undefined) return words(field.place, value);
  const prefix = prefixOf(value);
  if (prefix !== undefined) return { is: "begins", field: field.key, prefix };
  if (value.text === "") throw refused(value, `${written.field}: needs a value`);
  return { is: "one of", field: field.key, values: [fold(value.text)] };
}

function status(written: Term, value: WrittenValue, statuses: readonly string[]): Filter {
  refuseUnless(written, [":"]);
  const prefix = prefixOf(value);
  const wanted = fold(prefix ?? value.text);
  const values = statuses
    .map(fold)
    .filter((name) => (prefix === undefined ? name === wanted : name.startsWith(wanted)));
  if (values.length > 0) return { is: "one of", field: "status", values };
  const meant = closestName(value.text, statuses);
  const hint = meant === undefined ? `statuses are ${statuses.join(", ")}` : `did you mean ${meant}?`;
  throw refused(value, `there is no status "${value.text}"; ${hint}`);
}

function member(place: WordPlace, written: Term, value: WrittenValue): Filter {
  refuseUnless(written, [":"]);
  const prefix = prefixOf(value);
  if (prefix === undefined && value.text === "") throw refused(value, `${written.field}: needs a value`);
  return found(wordToken(place, prefix ?? fold(value.text)), prefix !== undefined);
}

function label(key: string, written: Term, value: WrittenValue): Filter {
  refuseUnless(written, [":", ":~"]);
  if (written.operator === ":~") return words(`label.${key}`, value);
  const prefix = prefixOf(value);
  return prefix === undefined
    ? { is: "label", key, value: fold(value.text) }
    : { is: "label begins", key, prefix };
}

function words(place: WordPlace, value: WrittenValue): Filter {
  return all(eachWord(value, (token, begins) => found(wordToken(place, token), begins)));
}

/** A bare text is the beginning of an id, or words of which each is in the task, the error or a label. */
function bareText(value: WrittenValue): Filter {
  const everyWord = eachWord(value, (word, begins) => {
    const [first, ...rest] = BARE_PLACES.map((place) => found(wordToken(place, word), begins));
    return first === undefined ? all([]) : any([first, ...rest]);
  });
  return any([{ is: "begins", field: "id", prefix: fold(withoutAsterisk(value)) }, all(everyWord)]);
}

/** Each word once; before an asterisk the last one is a beginning, whatever stands before it. */
function eachWord(value: WrittenValue, make: (word: string, begins: boolean) => Filter): readonly Filter[] {
  const wanted = wordsOf(withoutAsterisk(value));
  if (wanted.length === 0) throw refused(value, "there is no letter or digit to look for");
  const beginning = prefixOf(value) === undefined ? [] : wanted.slice(-1);
  const whole = new Set(wanted.slice(0, wanted.length - beginning.length));
  return [...[...whole].map((word) => make(word, false)), ...beginning.map((word) => make(word, true))];
}

function found(token: string, begins: boolean): Filter {
  return begins ? { is: "word begins", prefix: token } : { is: "word", token };
}

function number(
  field: Extract<Field, { kind: "count" | "time" | "duration" }>,
  written: Term,
  value: WrittenValue,
  checking: Checking,
): Filter {
  refuseUnless(written, [":", ":>", ":>=", ":<", ":<="]);
  const read = (text: string): Stretch => {
    const stretch = readers[field.kind](text, checking.nowMs);
    if (stretch === undefined) throw refused(value, `"${text}" is not ${EXPECTED[field.kind]}`);
    return stretch;
  };
  const within = (from: number | undefined, below: number | undefined): Filter => ({
    is: "within",
    field: field.key,
    from,
    below,
  });
  const ends = value.quoted ? undefined : /^(.*?)\.\.(.*)$/.exec(value.text);
  if (ends !== undefined && ends !== null) {
    if (written.operator !== ":") throw refused(value, "a range takes the colon alone");
    const [, low = "", high = ""] = ends;
    if (low === "" && high === "") throw refused(value, "a range needs a beginning or an end");
    return within(low === "" ? undefined : read(low).from, high === "" ? undefined : read(high).below);
  }
  const stretch = read(value.text);
  switch (written.operator) {
    case ":>":
      return within(stretch.below, undefined);
    case ":>=":
      return within(stretch.from, undefined);
    case ":<":
      return within(undefined, stretch.from);
    case ":<=":
      return within(undefined, stretch.below);
    default:
      if (field.kind === "time" && isRelative(value.text)) {
        throw refused(value, `write ${written.field}:>${value.text} for what came after that time`);
      }
      return within(stretch.from, stretch.below);
  }
}

const readers = { count: readCount, time: readMoment, duration: readDuration } as const;
const EXPECTED = {
  count: "a whole number",
  time: "a time: -2h, today, yesterday, 2026-11-20 or 2026-11-20T10:00:00Z",
  duration: "a length of time: 250ms, 30s, 5m, 2h or 1d",
} as const;

/** The text before a trailing asterisk; undefined where there is none. */
function prefixOf(value: WrittenValue): string | undefined {
  if (value.quoted) return undefined;
  if (value.text.slice(0, -1).includes("*"))
    throw refused(value, 'an asterisk can stand at the end only; quote "*"');
  if (/^.*\.\..*$/.test(value.text)) throw refused(value, "a range is for numbers and times; quote the dots");
  return value.text.endsWith("*") ? fold(value.text.slice(0, -1)) : undefined;
}

function withoutAsterisk(value: WrittenValue): string {
  return !value.quoted && value.text.endsWith("*") ? value.text.slice(0, -1) : value.text;
}

function refuseUnless(written: Term, operators: readonly Term["operator"][]): void {
  if (operators.includes(written.operator)) return;
  const at = written.at + written.field.length;
  const message = `${written.field} does not take "${written.operator}", only ${operators.join(" ")}`;
  throw new QueryRefused(message, at, written.operator.length);
}

function refused(value: WrittenValue, message: string): QueryRefused {
  return new QueryRefused(message, value.at, value.length);
}
