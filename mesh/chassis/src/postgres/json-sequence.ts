const SEPARATOR = "\u001e";

/**
 * JSON texts as one parameter, which `jsonTexts` takes apart: JSON cannot hold the record separator (RFC 7464), so
 * nothing has to be escaped. As an array each quote of each text would be escaped on one side and unescaped on the
 * other, which was a third of what writing an event cost.
 *
 * @param texts - JSON, or names of our own without control characters; an absent or empty one becomes null
 */
export const jsonSequence = (texts: readonly (string | null | undefined)[]): string =>
  texts.map((text) => text ?? "").join(SEPARATOR);

/** The SQL that makes an array of text of a parameter from `jsonSequence`, as in `jsonTexts("$7")`. */
export const jsonTexts = (parameter: string): string => `string_to_array(${parameter}::text, E'\\x1e', '')`;
