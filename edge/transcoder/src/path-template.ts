/**
 * The path template grammar of `google.api.http`:
 *
 *     Template  = "/" Segments [ ":" LITERAL ] ;
 *     Segments  = Segment { "/" Segment } ;
 *     Segment   = "*" | "**" | LITERAL | Variable ;
 *     Variable  = "{" FieldPath [ "=" Segments ] "}" ;
 *     FieldPath = IDENT { "." IDENT } ;
 *
 * `**` comes last, variables do not nest, and a literal is made of the characters that RFC 3986 allows in a
 * path segment, without the colon that begins a verb. Literals are kept decoded, so that `%41` and `A` are
 * one.
 */
export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "rest" };

export interface PathVariable {
  readonly fieldPath: string;
  /** Where the field path begins in the template, from 0. */
  readonly column: number;
  /** Index of its first segment. */
  readonly start: number;
  /** Index after its last segment; undefined where it reaches to the end of the path. */
  readonly end: number | undefined;
  /** More than one segment, or `**`: then `%2F` stays encoded. */
  readonly multi: boolean;
}

export interface PathTemplate {
  readonly segments: readonly Segment[];
  /** Decoded; empty when the template has none. */
  readonly verb: string;
  readonly variables: readonly PathVariable[];
}

/** A template that is not in the grammar; `column` counts from 0. */
export class TemplateFault extends Error {
  readonly column: number;

  constructor(reason: string, column: number) {
    super(reason);
    this.column = column;
  }
}

const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const LITERAL = /(?:[A-Za-z0-9\-._~!$&'()+,;=@]|%[0-9A-Fa-f]{2})+/y;

/**
 * Parses a path template.
 *
 * @throws TemplateFault with the column of the first character that does not fit
 */
export function parsePathTemplate(template: string): PathTemplate {
  const parser = new TemplateParser(template);
  return parser.template();
}

class TemplateParser {
  readonly #text: string;
  readonly #segments: Segment[] = [];
  readonly #variables: PathVariable[] = [];
  #at = 0;
  #restColumn: number | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  template(): PathTemplate {
    this.#expect("/");
    this.#segmentList(false);
    const verb = this.#peek() === ":" ? this.#verb() : "";
    if (this.#at < this.#text.length) throw this.#unexpected();
    return { segments: this.#segments, verb, variables: this.#variables };
  }

  #segmentList(inVariable: boolean): void {
    do this.#segment(inVariable);
    while (this.#take("/"));
  }

  #segment(inVariable: boolean): void {
    if (this.#restColumn !== undefined) {
      throw new TemplateFault("`**` has to be the last segment", this.#restColumn);
    }
    if (this.#peek() === "{") {
      if (inVariable) throw new TemplateFault("a variable cannot contain a variable", this.#at);
      this.#variable();
      return;
    }
    const column = this.#at;
    if (this.#take("**")) {
      this.#restColumn = column;
      this.#segments.push({ kind: "rest" });
    } else if (this.#take("*")) {
      this.#segments.push({ kind: "one" });
    } else {
      this.#segments.push({ kind: "literal", text: this.#literal("a path segment") });
    }
  }

  #variable(): void {
    this.#expect("{");
    const column = this.#at;
    const fieldPath = this.#fieldPath();
    if (this.#variables.some((variable) => variable.fieldPath === fieldPath)) {
      throw new TemplateFault(`the variable ${fieldPath} occurs twice`, column);
    }
    const start = this.#segments.length;
    if (this.#take("=")) this.#segmentList(true);
    else this.#segments.push({ kind: "one" });
    this.#expect("}");
    const rest = this.#restColumn !== undefined;
    const end = rest ? undefined : this.#segments.length;
    const multi = rest || this.#segments.length - start > 1;
    this.#variables.push({ fieldPath, column, start, end, multi });
  }

  #fieldPath(): string {
    const column = this.#at;
    do this.#match(IDENT, "an identifier");
    while (this.#take("."));
    return this.#text.slice(column, this.#at);
  }

  #verb(): string {
    this.#expect(":");
    return this.#literal("a verb");
  }

  #literal(what: string): string {
    const column = this.#at;
    const escaped = this.#match(LITERAL, what);
    try {
      return decodeURIComponent(escaped);
    } catch {
      throw new TemplateFault("the percent-encoding is not UTF-8", column);
    }
  }

  #match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) throw this.#unexpected(what);
    this.#at += found.length;
    return found;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #take(token: string): boolean {
    const found = this.#text.startsWith(token, this.#at);
    if (found) this.#at += token.length;
    return found;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#unexpected(`"${token}"`);
  }

  #unexpected(wanted?: string): TemplateFault {
    const found =
      this.#at < this.#text.length ? `unexpected "${this.#peek()}"` : "the template ends too early";
    return new TemplateFault(wanted === undefined ? found : `${found}, expected ${wanted}`, this.#at);
  }
}
