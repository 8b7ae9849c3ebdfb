import pg from "pg";

/** Type numbers of PostgreSQL (`select oid from pg_type`) that are read in a way of our own. */
const OID = { int8: 20, int8Array: 1016, timestamptz: 1184, timestamptzArray: 1185, json: 114, jsonb: 3802 };

type Parse = (text: string) => unknown;

const PARSERS: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [OID.int8, integerFrom],
  [OID.timestamptz, epochMsFrom],
  [OID.int8Array, (text) => arrayItems(text).map((item) => (item === "NULL" ? null : integerFrom(item)))],
  [
    OID.timestamptzArray,
    (text) => arrayItems(text).map((item) => (item === "NULL" ? null : epochMsFrom(item))),
  ],
  // JSON stays the text it is: most of it is passed on as it came, and parsing it here would be paid for
  // nothing.
  [OID.json, (text) => text],
  [OID.jsonb, (text) => text],
]);

/**
 * How columns become values: int8 a number when that is exact and otherwise the text, timestamptz
 * milliseconds since the epoch (fractions of a millisecond are cut; `infinity` is Infinity), json the text
 * itself; the rest as `pg` does it.
 */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") => {
    const own = format === "binary" ? undefined : PARSERS.get(oid);
    return own ?? pg.types.getTypeParser(oid, format);
  },
};

function integerFrom(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

/**
 * Reads the ISO form that PostgreSQL writes in the session time zone UTC, as in `2026-11-21
 * 09:45:35.123456+00`.
 */
function epochMsFrom(text: string): number {
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  if (text === "-infinity") return Number.NEGATIVE_INFINITY;
  return Date.parse(`${text.slice(0, 10)}T${text.slice(11, 23).replace(/\+.*$/, "")}Z`);
}

function arrayItems(text: string): string[] {
  return text === "{}" ? [] : text.slice(1, -1).replaceAll('"', "").split(",");
}
