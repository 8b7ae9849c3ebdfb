/** A row as events know it. */
export interface Versioned {
  readonly id: string;
  readonly version: number;
}

/**
 * A row with what an event says of it, where that is newer. Events carry no input or output beyond the first and last:
 * what the row has and the event has not, stays.
 */
export function newest<T extends Versioned>(row: T, news: ReadonlyMap<string, T>): T {
  const fresh = news.get(row.id);
  return fresh === undefined || fresh.version <= row.version ? row : { ...payloadOf(row), ...fresh };
}

// Only what never changes is carried over: a field that the event leaves out was cleared by the transition.
function payloadOf<T extends object>(row: T): Partial<T> {
  return "input" in row ? ({ input: row.input } as unknown as Partial<T>) : {};
}

/** The rows with what is newer in the news; the same array where nothing changed, so that nothing is drawn again. */
export function newestRows<T extends Versioned>(
  rows: readonly T[],
  news: ReadonlyMap<string, T>,
): readonly T[] {
  const fresh = rows.map((row) => newest(row, news));
  return fresh.some((row, index) => row !== rows[index]) ? fresh : rows;
}
