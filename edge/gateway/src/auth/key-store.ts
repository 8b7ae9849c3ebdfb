/** What a caller may do; each RPC names the one that it needs. */
export type Scope = "read" | "submit" | "work" | "admin";

/** Whether a word is a scope. */
export function isScope(word: string): word is Scope {
  return word === "read" || word === "submit" || word === "work" || word === "admin";
}

/**
 * Who asks: an API key, or later a user. Everything that the edge says about a caller inside comes from here.
 */
export interface Caller {
  /** The key's id: the principal inside, the subject of rate limits, never a secret. */
  readonly id: string;
  readonly project: string;
  readonly scopes: readonly Scope[];
}

/** Finds callers by their secret. */
export interface KeyStore {
  /** The caller that this key stands for; undefined for an unknown key. */
  find(secret: string): Caller | undefined;
}
