import type { estypes } from "@elastic/elasticsearch";
import type { ListOrder, Position } from "../../domain/list-order.ts";
import type { Filter } from "../../domain/query/filter.ts";

type Query = estypes.QueryDslQueryContainer;

/**
 * Compiles a filter. Only exact queries come out of it, all for the filter context: nothing is scored,
 * nothing is analysed, and no text of a user is ever parsed by the engine.
 */
export function compile(filter: Filter): Query {
  switch (filter.is) {
    case "everything":
      return { match_all: {} };
    case "all":
      return { bool: { filter: filter.of.map(compile) } };
    case "any":
      return { bool: { should: filter.of.map(compile), minimum_should_match: 1 } };
    case "not":
      return { bool: { must_not: [compile(filter.of)] } };
    case "one of":
      return { terms: { [filter.field]: [...filter.values] } };
    case "begins":
      return beginning(filter.field, filter.prefix);
    case "within":
      return { range: { [filter.field]: bounds(filter.from, filter.below) } };
    case "label":
      return { term: { [`labels.${filter.key}`]: { value: filter.value } } };
    case "label begins":
      return beginning(`labels.${filter.key}`, filter.prefix);
    case "word":
      return { term: { words: { value: filter.token } } };
    case "word begins":
      return beginning("words", filter.prefix);
  }
}

function beginning(field: string, prefix: string): Query {
  return prefix === "" ? { exists: { field } } : { prefix: { [field]: { value: prefix } } };
}

function bounds(from: number | undefined, below: number | undefined): { gte?: number; lt?: number } {
  return { ...(from === undefined ? {} : { gte: from }), ...(below === undefined ? {} : { lt: below }) };
}

/** The order of a list (O1, O2). */
export function sortOf({ field, direction }: ListOrder): estypes.SortCombinations[] {
  return [{ [field]: { order: direction, missing: "_last" } }, { id: { order: direction } }];
}

/**
 * What comes after a place in an order (O1, O2). Written out instead of `search_after`, because that gives a
 * missing value as a number that JavaScript rounds.
 */
export function afterPosition({ field, direction }: ListOrder, after: Position): Query {
  const further = direction === "asc" ? "gt" : "lt";
  const laterId: Query = { range: { id: { [further]: after.id } } };
  const missing: Query = { bool: { must_not: [{ exists: { field } }] } };
  if (after.value === undefined) return { bool: { filter: [missing, laterId] } };
  const tie: Query = { bool: { filter: [{ term: { [field]: after.value } }, laterId] } };
  const later: Query = { range: { [field]: { [further]: after.value } } };
  return { bool: { should: [later, tie, missing], minimum_should_match: 1 } };
}
