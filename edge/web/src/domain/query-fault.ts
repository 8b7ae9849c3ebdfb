import type { Problem } from "../api/problem.ts";

/** Where a query is wrong: what stands before it, it, and what comes after. */
export interface QueryFault {
  readonly message: string;
  /** From 1. */
  readonly column: number;
  readonly before: string;
  readonly wrong: string;
  readonly after: string;
  /** The query with the wrong part replaced by what was probably meant; undefined where nothing is. */
  readonly meant: string | undefined;
}

/**
 * Reads the refusal of a query. Its detail has three lines: the sentence with its column, the query, and carets under
 * what is wrong.
 *
 * @returns undefined where the problem is another one
 */
export function queryFault(problem: Problem): QueryFault | undefined {
  if (problem.reason !== "INVALID_QUERY") return undefined;
  const [sentence = "", query = "", carets = ""] = problem.detail.split("\n");
  const column = Number(/ \(column (\d+)\)$/.exec(sentence)?.[1] ?? 1);
  const length = Math.max(1, carets.trim().length);
  const message = sentence.replace(/ \(column \d+\)$/, "");
  const before = query.slice(0, column - 1);
  const wrong = query.slice(column - 1, column - 1 + length);
  const after = query.slice(column - 1 + length);
  const meant = / did you mean ([\w.:-]+?)\??$/.exec(message)?.[1];
  return { message, column, before, wrong, after, meant: meant && `${before}${meant}${after}` };
}
