/** A value of a Go composite literal: what is neither text, a list nor fields is kept as it is written. */
export type GoValue = string | GoWord | readonly GoValue[] | GoFields;
export type GoFields = { readonly [key: string]: GoValue };

/** A name, a number or a call, as it stands in the source. */
export class GoWord {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

const SPACE = /(?:\s|\/\/[^\n]*\n)+/y;
const TEXT = /"(?:[^"\\]|\\.)*"|`[^`]*`/y;
const TYPE = /(?:\[\]|map\[string\])?(?:[A-Za-z_][\w.]*)?(?=\{)/y;
const KEY = /(?:[A-Za-z_]\w*|"(?:[^"\\]|\\.)*")\s*:/y;
const PART = String.raw`(?:[\w.]+(?:\([^()]*\))?|"(?:[^"\\]|\\.)*")`;
/** One part that is no text, or several joined. */
const WORD = new RegExp(String.raw`(?:[\w.]+(?:\([^()]*\))?(?!\s*\+)|${PART}(?:\s*\+\s*${PART})+)`, "y");

/**
 * Reads the table that a Go test goes through: the literal of `for … := range []struct{ … }{ rows }` in a function.
 * Only as much of Go as such tables use.
 *
 * @throws Error at the first thing that it does not know
 */
export function readTable(source: string, functionName: string): readonly GoFields[] {
  const begin = source.indexOf(`func ${functionName}(`);
  const opening = source.indexOf("\n\t}{\n", source.indexOf("range []struct {", begin));
  if (begin < 0 || opening < 0) throw new Error(`no table in ${functionName}`);
  const rows = new LiteralReader(source, opening + "\n\t}".length).literal();
  if (!Array.isArray(rows)) throw new Error(`the table of ${functionName} is no list`);
  return rows as readonly GoFields[];
}

class LiteralReader {
  readonly #source: string;
  #at: number;

  constructor(source: string, at: number) {
    this.#source = source;
    this.#at = at;
  }

  /** What stands between braces: fields where they have keys, else a list. */
  literal(): GoValue {
    this.#take("{");
    const items: GoValue[] = [];
    const fields: Record<string, GoValue> = {};
    let keyed = false;
    while (!this.#take("}")) {
      const key = this.#match(KEY);
      const value = this.#value();
      if (key === undefined) items.push(value);
      else {
        keyed = true;
        fields[key.slice(0, -1).trim().replaceAll('"', "")] = value;
      }
      this.#take(",");
    }
    return keyed ? fields : items;
  }

  #value(): GoValue {
    if (this.#match(TYPE) !== undefined) return this.literal();
    // Texts that are joined by a plus are left to whoever knows the function in them.
    const word = this.#match(WORD);
    if (word !== undefined) return new GoWord(word);
    const text = this.#match(TEXT);
    if (text === undefined) throw new Error(`no value at ${this.#source.slice(this.#at, this.#at + 40)}`);
    return text.startsWith("`") ? text.slice(1, -1) : String(JSON.parse(text));
  }

  #match(pattern: RegExp): string | undefined {
    SPACE.lastIndex = this.#at;
    if (SPACE.test(this.#source)) this.#at = SPACE.lastIndex;
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#source) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  #take(sign: string): boolean {
    SPACE.lastIndex = this.#at;
    if (SPACE.test(this.#source)) this.#at = SPACE.lastIndex;
    const there = this.#source.startsWith(sign, this.#at);
    if (there) this.#at += sign.length;
    return there;
  }
}
