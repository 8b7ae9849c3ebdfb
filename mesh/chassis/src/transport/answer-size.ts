// How large one message may be, and how a list keeps below that, whatever is in it.
import { StringDecoder } from "node:string_decoder";
import { valueBytes } from "./json-value.ts";

/** Bytes of the largest message, unless a server or a channel says otherwise. */
export const MESSAGE_BYTES = 10 * 1024 * 1024;

/** Bytes of one page as it is sent: clients of gRPC take 4 MiB unless they say otherwise. */
const PAGE_BYTES = 3.5 * 1024 * 1024;

/** Bytes that the messages of a list without pages may have together: half of those 4 MiB are left for the rest. */
const MESSAGES_BYTES = 2 * 1024 * 1024;

/** What the end of a text says that was cut. */
const NOTE = / … \(cut: \d{1,12} bytes in all\)$/;

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
    bytes += valueBytes(jsonOf(item));
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
  const total = list.reduce((sum, { error }) => sum + Buffer.byteLength(error?.message ?? ""), 0);
  if (total <= MESSAGES_BYTES) return [...list];
  const share = Math.floor(MESSAGES_BYTES / list.length);
  return list.map((item) => {
    const { error } = item;
    return error === undefined
      ? item
      : { ...item, error: { ...error, message: cutText(error.message, share) } };
  });
}

/**
 * Cuts a text that is over a limit at a whole character, and says so within it. One that was cut before still says how
 * much there was at first.
 */
export function cutText(text: string, limitBytes: number): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= limitBytes) return text;
  const note = NOTE.exec(text)?.[0] ?? ` … (cut: ${bytes} bytes in all)`;
  const kept = Buffer.from(text).subarray(0, Math.max(0, limitBytes - Buffer.byteLength(note)));
  return new StringDecoder("utf8").write(kept) + note;
}
