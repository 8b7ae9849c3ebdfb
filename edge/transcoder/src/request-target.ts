import { malformed, routeNotFound } from "./fault.ts";

/** The path of a request, cut at its slashes. */
export interface RequestPath {
  readonly raw: readonly string[];
  /** Each segment percent-decoded, a slash in it included. */
  readonly decoded: readonly string[];
  /** The last segment cut at its last colon, where it has one with something before it. */
  readonly verb:
    | { readonly name: string; readonly lastRaw: string; readonly lastDecoded: string }
    | undefined;
}

export interface RequestTarget {
  readonly path: RequestPath;
  /** What follows the first question mark, still encoded. */
  readonly query: string;
}

/** Anything but printable ASCII, and the `#` of a fragment. */
const FORBIDDEN = /[^!-"$-~]/;
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

/**
 * Cuts a request target, in origin form or in absolute form, into its path and its query.
 *
 * @throws ConnectError 400 for control characters, spaces, `#` and what is not ASCII, and for bad
 * percent-encoding in the path; 404 for an empty path segment, as no template has one
 */
export function parseTarget(target: string): RequestTarget {
  if (FORBIDDEN.test(target))
    throw malformed("the request target has a character that has to be percent-encoded");
  const local = target.startsWith("/") ? target : target.replace(ABSOLUTE_FORM, "");
  const mark = local.indexOf("?");
  const path = mark < 0 ? local : local.slice(0, mark);
  return {
    path: parsePath(path === "" && local !== target ? "/" : path),
    query: mark < 0 ? "" : local.slice(mark + 1),
  };
}

function parsePath(path: string): RequestPath {
  if (!path.startsWith("/")) throw malformed("the request target has no path");
  const raw = path === "/" ? [] : path.slice(1).split("/");
  const decoded = path.includes("%") ? raw.map(decodeSegment) : raw;
  if (raw.includes("")) throw routeNotFound();
  return { raw, decoded, verb: verbOf(raw.at(-1) ?? "") };
}

function verbOf(last: string): RequestPath["verb"] {
  const colon = last.lastIndexOf(":");
  if (colon < 1) return undefined;
  const lastRaw = last.slice(0, colon);
  return { name: decodeSegment(last.slice(colon + 1)), lastRaw, lastDecoded: decodeSegment(lastRaw) };
}

/**
 * Percent-decodes one path segment; a plus sign stays one.
 *
 * @throws ConnectError 400 for an escape that is not two hexadecimal digits, or that is not UTF-8
 */
export function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw malformed("the path has a percent-encoding that is not valid UTF-8");
  }
}

const ENCODED_SLASH = /(%2f)/i;

/**
 * Percent-decodes segments that one variable captures together: `%2F` stays, as it would look like a
 * separator.
 */
export function decodeSegments(segments: readonly string[]): string {
  return segments
    .map((segment) =>
      segment
        .split(ENCODED_SLASH)
        .map((part, index) => (index % 2 === 1 ? part : decodeSegment(part)))
        .join(""),
    )
    .join("/");
}
