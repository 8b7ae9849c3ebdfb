import { QueryRefused } from "./query-problem.ts";
import type { Token } from "./tokens.ts";
import { tokensOf } from "./tokens.ts";

/** A query as it was written, not yet checked against the fields there are. */
export type Written =
  | { readonly is: "or" | "and"; readonly of: readonly Written[] }
  | { readonly is: "not"; readonly of: Written }
  | Extract<Token, { is: "term" | "text" }>;

/** So many that the tree stays below the nesting that Elasticsearch admits, 30 by default. */
const DEPTH_LIMIT = 7;

/**
 * Parses the grammar
 *
 *     query = or    or = and {"OR" and}    and = not {["AND"] not}    not = ["-"] atom
 *     atom  = "(" or ")" | field operator value {"," value} | text
 *
 * @returns undefined for a query without a word
 */
export function parse(query: string): Written | undefined {
  const reader = new Reader(query, tokensOf(query));
  return reader.atEnd ? undefined : reader.whole();
}

class Reader {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(query: string, tokens: readonly Token[]) {
    this.#query = query;
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  whole(): Written {
    const written = this.#or();
    const left = this.#tokens[this.#next];
    if (left !== undefined) {
      throw new QueryRefused("this parenthesis was never opened", left.at, left.length);
    }
    return written;
  }

  #or(): Written {
    const of = [this.#and()];
    while (this.#take("OR")) of.push(this.#and());
    return joined("or", of);
  }

  #and(): Written {
    const of = [this.#not()];
    for (;;) {
      const token = this.#tokens[this.#next];
      if (token === undefined || token.is === ")" || token.is === "OR") return joined("and", of);
      this.#take("AND");
      of.push(this.#not());
    }
  }

  #not(): Written {
    const minus = this.#take("-");
    if (minus === undefined) return this.#atom();
    const token = this.#tokens[this.#next];
    if (token === undefined || token.at !== minus.at + 1 || token.is === "-") {
      throw new QueryRefused('"-" stands directly before what is not wanted', minus.at, 1);
    }
    return { is: "not", of: this.#atom() };
  }

  #atom(): Written {
    const token = this.#tokens[this.#next];
    if (token === undefined) {
      throw new QueryRefused("something is missing at the end", this.#query.length, 1);
    }
    this.#next++;
    if (token.is === "term" || token.is === "text") return token;
    if (token.is !== "(") throw new QueryRefused(`"${token.is}" cannot stand here`, token.at, token.length);
    if (++this.#depth > DEPTH_LIMIT) {
      throw new QueryRefused(`at most ${DEPTH_LIMIT} parentheses inside each other`, token.at, 1);
    }
    const inner = this.#or();
    if (this.#take(")") === undefined) {
      throw new QueryRefused("this parenthesis is never closed", token.at, 1);
    }
    this.#depth--;
    return inner;
  }

  #take(is: Token["is"]): Token | undefined {
    const token = this.#tokens[this.#next];
    if (token?.is !== is) return undefined;
    this.#next++;
    return token;
  }
}

function joined(is: "or" | "and", of: readonly Written[]): Written {
  const [only] = of;
  return only !== undefined && of.length === 1 ? only : { is, of };
}
