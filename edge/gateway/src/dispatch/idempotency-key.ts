import { Fault } from "@orrery/mesh/fault/fault";

const VISIBLE = /^[!-~]{1,255}$/;
/** sf-string of RFC 8941, section 3.3.3: quoted, with `\"` and `\\` as the only escapes. */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;

/**
 * Reads an `Idempotency-Key`: 1 to 255 visible ASCII characters, bare or as an RFC 8941 string; both forms of
 * the same characters are the same key. Two headers arrive joined by a comma and a space, which no key may
 * hold.
 *
 * @throws Fault INVALID_REQUEST naming the header
 */
export function parseIdempotencyKey(header: string): string {
  const text = header.trim();
  const quoted = QUOTED.exec(text)?.[1];
  const key = quoted === undefined ? text : quoted.replace(/\\(["\\])/g, "$1");
  const unbalanced = quoted === undefined && text.startsWith('"');
  if (unbalanced || !VISIBLE.test(key))
    throw invalidKey("has to be 1 to 255 visible ASCII characters, given once");
  return key;
}

/** @throws Fault INVALID_REQUEST where header and body name different keys */
export function agreeOnKey(header: string, body: unknown): string {
  if (typeof body === "string" && body !== header) {
    throw invalidKey("names another key than idempotencyKey in the body");
  }
  return header;
}

function invalidKey(description: string): Fault {
  return new Fault("INVALID_REQUEST", {
    detail: `The Idempotency-Key header ${description}.`,
    fieldViolations: [{ field: "Idempotency-Key", description }],
  });
}
