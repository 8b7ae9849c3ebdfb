/** The query part of an address as plain texts: `?q=status:failed` can be read, typed and shared. */
export type SearchTexts = Readonly<Record<string, string>>;

/** Reads the query part of an address; of a name that comes twice the last one counts. */
export const parseSearch = (search: string): SearchTexts => Object.fromEntries(new URLSearchParams(search));

/** Writes it. Signs that mean nothing in a query part stay as they are; what is empty is left out. */
export function writeSearch(search: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(search).flatMap(([name, value]) =>
    typeof value === "string" && value !== "" ? [`${name}=${readable(value)}`] : [],
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

const readable = (value: string): string =>
  encodeURIComponent(value)
    .replace(/%(?:3A|2C|3C|3E|2F)/g, decodeURIComponent)
    .replaceAll("%20", "+");

/** One of a few words, or undefined, for anything that an address may hold. */
export const wordOf = <W extends string>(value: unknown, words: readonly W[]): W | undefined =>
  words.find((word) => word === value);

/** A text that is not empty, or undefined. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
