/**
 * A decimal number taken apart: `digits` × 10^`exponent`, without zeros at either end; no digits at all for
 * zero.
 */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

const NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Not a regular expression: `/0+$/` takes quadratic time over long runs that are not at the end. */
export function withoutTrailing(text: string, sign: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === sign) end -= 1;
  return text.slice(0, end);
}

/** More digits than any 64-bit integer has; keeps `1e999999999` from being written out. */
const MAX_INTEGER_DIGITS = 20;

/** Is this text a number in the grammar of JSON (RFC 8259 section 6)? */
export function isJsonNumber(text: string): boolean {
  return NUMBER.test(text);
}

function takeApart(text: string): Decimal | undefined {
  const [matched, sign, whole = "", fraction = "", power = "0"] = NUMBER.exec(text) ?? [];
  if (matched === undefined) return undefined;
  const all = whole + fraction;
  const significant = withoutTrailing(all, "0");
  const digits = significant.replace(/^0+/, "");
  const exponent = Number(power) - fraction.length + (all.length - significant.length);
  return { negative: sign === "-", digits, exponent: digits === "" ? 0 : exponent };
}

/**
 * Does JavaScript keep this number, so that writing it again gives the same value?
 *
 * @param text - a number in the grammar of JSON
 */
export function survivesRoundTrip(text: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  const source = takeApart(text);
  const again = takeApart(String(value));
  if (source === undefined || again === undefined) return false;
  return source.digits === again.digits && source.exponent === again.exponent;
}

/**
 * The integer that a JSON number stands for, exactly; undefined when it is none or has more than 20 digits.
 */
export function toInteger(text: string): bigint | undefined {
  const decimal = takeApart(text);
  if (decimal === undefined || decimal.exponent < 0) return undefined;
  if (decimal.digits.length + decimal.exponent > MAX_INTEGER_DIGITS) return undefined;
  const size = BigInt(decimal.digits + "0".repeat(decimal.exponent));
  return decimal.negative ? -size : size;
}
