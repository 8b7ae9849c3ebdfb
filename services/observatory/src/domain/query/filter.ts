import type { KeywordField, NumberField } from "../search-keys.ts";

/**
 * What a checked query means. The one tree that every engine is compiled from; texts in it are folded.
 *
 * F1: each leaf is true or false, never unknown. A leaf about something that the job does not have is false,
 * so its negation is true.
 */
export type Filter =
  | { readonly is: "everything" }
  | { readonly is: "all"; readonly of: readonly Filter[] }
  | { readonly is: "any"; readonly of: readonly Filter[] }
  | { readonly is: "not"; readonly of: Filter }
  | { readonly is: "one of"; readonly field: KeywordField; readonly values: readonly string[] }
  /** An empty prefix means: has any value. */
  | { readonly is: "begins"; readonly field: KeywordField; readonly prefix: string }
  /** From inclusive, below exclusive; at least one is set. */
  | {
      readonly is: "within";
      readonly field: NumberField;
      readonly from: number | undefined;
      readonly below: number | undefined;
    }
  | { readonly is: "label"; readonly key: string; readonly value: string }
  /** An empty prefix means: has the label. */
  | { readonly is: "label begins"; readonly key: string; readonly prefix: string }
  /** Tokens as `wordToken` makes them. */
  | { readonly is: "word"; readonly token: string }
  | { readonly is: "word begins"; readonly prefix: string };

export const EVERYTHING: Filter = { is: "everything" };

/** One filter for several that must all hold, without needless nesting. */
export function all(of: readonly Filter[]): Filter {
  const [only] = of;
  if (only === undefined) return EVERYTHING;
  return of.length === 1 ? only : { is: "all", of };
}

/** One filter for several of which one must hold; at least one is needed. */
export function any(of: readonly [Filter, ...Filter[]]): Filter {
  return of.length === 1 ? of[0] : { is: "any", of };
}
