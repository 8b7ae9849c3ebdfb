/**
 * An array of numbers, booleans, UUIDs or words of our own as PostgreSQL reads it. The driver would quote and
 * escape each element, which takes a UUID four times as long; none of these needs it.
 *
 * @param values - nothing that a caller typed: no commas, braces, quotes, backslashes or blanks, and no empty
 * text
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export const plainArray = (values: readonly (number | boolean | string | null | undefined)[]): string =>
  `{${values.map((value) => value ?? "NULL").join(",")}}`;
