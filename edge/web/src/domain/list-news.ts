interface Listed {
  readonly id: string;
}

/** What came to a list since it was read. */
export interface ListNews<T> {
  /** On top of the list, in its order, and not shown yet. */
  readonly added: readonly T[];
  /** Shown, but no longer among what fits. Known only for rows above the last one that both have. */
  readonly gone: ReadonlySet<string>;
}

/**
 * Compares the rows that are shown with the first page as it is now. A row below what the page reaches is not judged:
 * it may only have been pushed off it.
 */
export function listNews<T extends Listed>(
  shown: readonly T[],
  first: readonly T[],
  isWhole: boolean,
): ListNews<T> {
  const known = new Set(shown.map(({ id }) => id));
  const now = new Set(first.map(({ id }) => id));
  const lastShared = isWhole ? shown.length - 1 : shown.findLastIndex(({ id }) => now.has(id));
  const gone = shown.slice(0, lastShared + 1).filter(({ id }) => !now.has(id));
  return { added: first.filter(({ id }) => !known.has(id)), gone: new Set(gone.map(({ id }) => id)) };
}
