import { QueryRefused } from "./query-problem.ts";

export type Operator = ":" | ":>" | ":>=" | ":<" | ":<=" | ":~";

/** A value as it was written. */
export interface WrittenValue {
  readonly text: string;
  /** In quotes everything is literal: no range, no trailing asterisk. */
  readonly quoted: boolean;
  readonly at: number;
  readonly length: number;
}

/** One token of a query; `at` and `length` say where it stood. */
export type Token = { readonly at: number; readonly length: number } & (
  | { readonly is: "(" | ")" | "-" | "OR" | "AND" }
  | { readonly is: "text"; readonly value: WrittenValue }
  | {
      readonly is: "term";
      readonly field: string;
      readonly operator: Operator;
      readonly values: readonly WrittenValue[];
    }
);

const FIELD = /([A-Za-z][A-Za-z0-9_.-]*)(:(?:>=|<=|>|<|~)?)/y;
const BARE = /[^\s()"]+/y;
const BARE_VALUE = /[^\s(),"]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/** Splits a query into tokens. */
export function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    const start = query.charAt(at);
    if (/\s/.test(start)) {
      at++;
      continue;
    }
    const token = start === "(" || start === ")" || start === "-" ? sign(start, at) : wordAt(query, at);
    tokens.push(token);
    at = token.at + token.length;
  }
  return tokens;
}

function sign(is: "(" | ")" | "-", at: number): Token {
  return { is, at, length: 1 };
}

function wordAt(query: string, at: number): Token {
  const field = match(FIELD, query, at);
  if (field?.[1] !== undefined) return termAt(query, at, field);
  const value = valueAt(query, at, BARE);
  if (value === undefined)
    throw new QueryRefused("the quotation mark is never closed", at, query.length - at);
  const { length } = value;
  if (!value.quoted && (value.text === "OR" || value.text === "AND")) return { is: value.text, at, length };
  if (!value.quoted && value.text === "NOT") {
    throw new QueryRefused('NOT is not a word of this language; write "-" before what is not wanted', at, 3);
  }
  return { is: "text", value, at, length };
}

function termAt(query: string, at: number, field: RegExpExecArray): Token {
  const values: WrittenValue[] = [];
  let next = at + field[0].length;
  for (;;) {
    const value = valueAt(query, next, BARE_VALUE);
    if (value === undefined) throw missingValue(query, next, values.length > 0);
    values.push(value);
    next = value.at + value.length;
    if (query.charAt(next) !== ",") break;
    next++;
  }
  return {
    is: "term",
    field: field[1] ?? "",
    operator: operatorOf(field[2] ?? ":"),
    values,
    at,
    length: next - at,
  };
}

function missingValue(query: string, at: number, afterComma: boolean): QueryRefused {
  if (query.charAt(at) === '"') {
    return new QueryRefused("the quotation mark is never closed", at, query.length - at);
  }
  const before = afterComma ? "the comma" : "the colon";
  return new QueryRefused(`a value is missing after ${before}; leave no blank there`, at, 1);
}

function valueAt(query: string, at: number, bare: RegExp): WrittenValue | undefined {
  const quoted = match(QUOTED, query, at);
  if (quoted?.[1] !== undefined) {
    return { text: quoted[1].replace(/\\(.)/gs, "$1"), quoted: true, at, length: quoted[0].length };
  }
  const word = match(bare, query, at);
  return word === undefined ? undefined : { text: word[0], quoted: false, at, length: word[0].length };
}

function match(pattern: RegExp, query: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(query) ?? undefined;
}

function operatorOf(written: string): Operator {
  switch (written) {
    case ":>":
    case ":>=":
    case ":<":
    case ":<=":
    case ":~":
      return written;
    default:
      return ":";
  }
}
