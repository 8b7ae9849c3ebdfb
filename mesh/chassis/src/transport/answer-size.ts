// How a list keeps below the 10 MiB of one message, whatever is in it.

/**
 * Bytes of JSON in one page. In a Struct on the wire a number takes up to 5.5 times its JSON: a page of nothing else
 * fits, and so do a thousand ordinary events.
 */
const PAGE_BYTES = 1_792 * 1024;

/** Bytes that the messages of a list without pages may have together, which leaves four times as much for the rest. */
const MESSAGES_BYTES = 2 * 1024 * 1024;

/**
 * The page that begins what was found: as many as were asked for, or fewer where they would be too large together, but
 * one at least.
 *
 * @param found - as many as `limit`, and one more where there is one
 * @returns `more` says whether the list goes on after the page
 */
export function pageOf<T>(
  found: readonly T[],
  limit: number,
  jsonOf: (item: T) => string,
): { page: readonly T[]; more: boolean } {
  let count = 0;
  let bytes = 0;
  for (const item of found.slice(0, limit)) {
    bytes += Buffer.byteLength(jsonOf(item));
    if (bytes > PAGE_BYTES && count > 0) break;
    count += 1;
  }
  return { page: found.slice(0, count), more: count < found.length };
}

/**
 * Cuts the longest messages of a list that has no pages, where they would be too large together. Each keeps an equal
 * share at least, and one that is cut says so.
 */
export function cutMessages<T extends { error?: { message: string } | undefined }>(list: readonly T[]): T[] {
  const sizes = list.map(({ error }) => Buffer.byteLength(error?.message ?? ""));
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const share = total <= MESSAGES_BYTES ? total : Math.floor(MESSAGES_BYTES / list.length);
  return list.map((item, index) => {
    const bytes = sizes[index] ?? 0;
    const { error } = item;
    return error === undefined || bytes <= share
      ? item
      : { ...item, error: { ...error, message: cut(error.message, bytes, share) } };
  });
}

/** Cuts a text at a whole character, and says so within the limit. */
function cut(text: string, bytes: number, limitBytes: number): string {
  const note = ` … (cut: ${bytes} bytes in all)`;
  const kept = Buffer.from(text).subarray(0, Math.max(0, limitBytes - Buffer.byteLength(note)));
  return new TextDecoder().decode(kept).replace(/\uFFFD+$/u, "") + note;
}
