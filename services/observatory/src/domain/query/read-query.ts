import { type Checking, check } from "./check.ts";
import { EVERYTHING, type Filter } from "./filter.ts";
import { parse } from "./parse.ts";
import { type QueryProblem, QueryRefused } from "./query-problem.ts";
import { refuseTooMany } from "./size.ts";

/** What reading a query came to. */
export type QueryReading = { readonly filter: Filter } | { readonly problem: QueryProblem };

/**
 * Reads a query of the search language: parsed whole, then checked. What the language has and the search
 * cannot do yet is refused by name, never ignored. An empty query means everything.
 */
export function readQuery(query: string, checking: Checking): QueryReading {
  try {
    const written = parse(query);
    if (written === undefined) return { filter: EVERYTHING };
    refuseTooMany(written, checking.searched);
    return { filter: check(written, checking) };
  } catch (error) {
    if (error instanceof QueryRefused) return { problem: error.problem };
    throw error;
  }
}
