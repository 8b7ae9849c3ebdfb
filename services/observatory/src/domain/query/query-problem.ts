/** Why a query was refused, and where. */
export interface QueryProblem {
  /** One sentence, with the fix where there is one. */
  readonly message: string;
  /** From 0, in UTF-16 units of the query. */
  readonly at: number;
  /** How many units of the query are at fault; at least 1. */
  readonly length: number;
}

/** Carries a problem out of the parser; `readQuery` turns it into a result. */
export class QueryRefused extends Error {
  readonly problem: QueryProblem;

  constructor(message: string, at: number, length: number) {
    super(message);
    this.problem = { message, at, length: Math.max(1, length) };
  }
}

/**
 * The problem as a person reads it: the sentence with its column, the query, and a caret under what is wrong.
 */
export function describeProblem(query: string, problem: QueryProblem): string {
  const flat = query.replace(/\s/g, " ");
  const caret = " ".repeat(problem.at) + "^".repeat(problem.length);
  return `${problem.message} (column ${problem.at + 1})\n${flat}\n${caret}`;
}
