/** How much of traces is kept: what goes beyond any of these drops the oldest traces first. */
export const TRACE_LIMITS = {
  bytes: 256 * 1024 * 1024,
  spans: 1_000_000,
  ageMs: 3 * 86_400_000,
  /** In one trace; more of it is counted and not kept. */
  spansInTrace: 10_000,
  /** How often it is looked whether something has to go. */
  sweepEveryMs: 5_000,
  /** Traces that go at once. */
  sweptTraces: 200,
  /** The longest body that a sender may send. */
  bodyBytes: 4 * 1024 * 1024,
  spansInBody: 10_000,
  nameCharacters: 128,
  valueCharacters: 256,
} as const;

export type TraceLimits = { readonly [name in keyof typeof TRACE_LIMITS]: number };
