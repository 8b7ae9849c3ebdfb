import { Fault } from "@orrery/mesh/fault/fault";
import type { Searched } from "../domain/query/fields.ts";
import type { Filter } from "../domain/query/filter.ts";
import { describeProblem } from "../domain/query/query-problem.ts";
import { readQuery } from "../domain/query/read-query.ts";

/**
 * Reads the `q` of a request.
 *
 * @param nowMs - what relative times count from, epoch milliseconds
 * @throws Fault `INVALID_QUERY` with the column, a caret under what is wrong, and what was probably meant
 */
export function filterOf(q: string, searched: Searched, nowMs: number): Filter {
  const reading = readQuery(q, { searched, nowMs });
  if ("filter" in reading) return reading.filter;
  const description = describeProblem(q, reading.problem);
  throw new Fault("INVALID_QUERY", {
    detail: description,
    fieldViolations: [{ field: "q", description: reading.problem.message }],
  });
}
