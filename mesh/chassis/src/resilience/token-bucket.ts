import { createRequire } from "node:module";

/** Bounds how often something happens: so often at once, and so often in a time. Times are of a monotonic clock. */
export interface TokenBucket {
  /** How many tokens are there, parts of one included. */
  tokensAt(nowMs: number): number;
  /** Takes a token. @returns whether a whole one was there */
  take(nowMs: number): boolean;
}

/** A bucket that is full at first, and holds `most` at a time; `perMs` come back in each millisecond. */
export const { TokenBucket } = createRequire(import.meta.url)("./token-bucket.cjs") as {
  readonly TokenBucket: new (how: {
    readonly most: number;
    readonly perMs: number;
    readonly nowMs: number;
  }) => TokenBucket;
};
