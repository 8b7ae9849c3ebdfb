import { wordsOf } from "../text.ts";
import { fieldNamed, type Searched } from "./fields.ts";
import type { Written } from "./parse.ts";
import { QueryRefused } from "./query-problem.ts";

/** How many values a query may hold; its characters are bounded by the contract. */
const VALUE_LIMIT = 200;

/**
 * Refuses a query that asks for more at once than an engine takes: SQLite nests at most 1,000 conditions, and
 * Elasticsearch counts the clauses. A value that is looked for word by word counts as its words.
 */
export function refuseTooMany(written: Written, searched: Searched): void {
  let count = 0;
  let passedAt: { readonly at: number; readonly length: number } | undefined;
  for (const term of termsOf(written)) {
    count += sizeOf(term, searched);
    if (count > VALUE_LIMIT) passedAt ??= term;
  }
  if (passedAt === undefined) return;
  const found = `here are ${count.toLocaleString("en")}`;
  const message = `at most ${VALUE_LIMIT} values in one query, where a phrase counts as its words; ${found}`;
  throw new QueryRefused(message, passedAt.at, passedAt.length);
}

type Term = Extract<Written, { is: "term" | "text" }>;

function termsOf(written: Written): readonly Term[] {
  switch (written.is) {
    case "or":
    case "and":
      return written.of.flatMap(termsOf);
    case "not":
      return termsOf(written.of);
    case "text":
    case "term":
      return [written];
  }
}

function sizeOf(term: Term, searched: Searched): number {
  if (term.is === "text") return wordCount(term.value.text);
  if (!looksForWords(term, searched)) return term.values.length;
  return term.values.reduce((sum, { text }) => sum + wordCount(text), 0);
}

function looksForWords(term: Extract<Term, { is: "term" }>, searched: Searched): boolean {
  const field = fieldNamed(term.field, searched);
  return term.operator === ":~" || ("kind" in field && field.kind === "words");
}

/** A value without a word is refused later, by name; until then it is one like any other. */
function wordCount(text: string): number {
  return Math.max(1, new Set(wordsOf(text)).size);
}
