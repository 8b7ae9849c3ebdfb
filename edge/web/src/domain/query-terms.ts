/** One term of a query in words and quotes, as the query language separates them. */
const TERM = /(?:"(?:[^"\\]|\\.)*"|[^\s"])+/g;

const termsOf = (query: string): readonly string[] => query.match(TERM) ?? [];

/** Whether a query names this term as a whole, such as `status:failed`. */
export const hasTerm = (query: string, term: string): boolean => termsOf(query).includes(term);

/** The query with the term added at its end, or taken out where it was there. */
export function toggleTerm(query: string, term: string): string {
  const terms = termsOf(query);
  return (terms.includes(term) ? terms.filter((one) => one !== term) : [...terms, term]).join(" ");
}

/** A value as a query takes it: in quotes where a bare word would end or mean something else. */
export const quoted = (value: string): string =>
  /^[A-Za-z0-9_][A-Za-z0-9_./:-]*$/.test(value) && !/\.\.|:/.test(value)
    ? value
    : `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** The terms of a query that can be left out one by one; none where it has brackets or words between terms. */
export function droppableTerms(query: string): readonly string[] {
  const terms = termsOf(query);
  return terms.some((term) => /^(OR|AND|NOT)$|[()]/.test(term)) ? [] : terms;
}
