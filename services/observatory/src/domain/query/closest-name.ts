/**
 * The known name that was most likely meant, for "did you mean".
 *
 * @returns undefined when none is within two edits, or begins like it
 */
export function closestName(written: string, known: readonly string[]): string | undefined {
  const wanted = written.toLowerCase();
  const ranked = known
    .map((name) => ({ name, edits: editsBetween(wanted, name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= Math.min(2, Math.floor(name.length / 2)))
    .sort((left, right) => left.edits - right.edits);
  const begun = wanted.length >= 3 ? known.find((name) => name.toLowerCase().startsWith(wanted)) : undefined;
  return ranked[0]?.name ?? begun;
}

/** Levenshtein's distance, one row at a time; names are short. */
function editsBetween(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const swap = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
