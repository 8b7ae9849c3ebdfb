/** What one request may cost. Every limit is inclusive: a request of exactly this size is served. */
export interface TranscoderLimits {
  /**
   * Bytes of one request body, or of one message of a client stream; past it 413. Default 262,144 (256 KiB).
   */
  readonly bodyBytes: number;
  /**
   * Objects and arrays inside each other in a JSON body, the outermost counting as 1; past it 400. Default
   * 32.
   */
  readonly jsonDepth: number;
  /** Object members in one JSON body, at all levels together; past it 400. Default 100,000. */
  readonly jsonKeys: number;
  /**
   * JSON values in one body, counted by its commas and opening brackets; past it 400. A number of one byte
   * costs some 300 bytes of memory once it is a message: this keeps a body of a few MiB from
   * filling a process. Default 1,000,000.
   */
  readonly jsonValues: number;
  /** Query parameters of one request; past it 400. Default 1,000. */
  readonly queryParameters: number;
  /** Names in one dotted query parameter; past it 400. Default 32. */
  readonly queryDepth: number;
  /** Bytes of the request target; past it 414. Default 16,384 (16 KiB). */
  readonly targetBytes: number;
  /** Bytes of all header names and values together; past it 431. Default 32,768 (32 KiB). */
  readonly headerBytes: number;
  /** Milliseconds of silence after which an event stream sends a comment. Default 15,000. */
  readonly keepAliveMs: number;
  /**
   * Milliseconds after which the answer to a silent event stream or NDJSON stream begins although no message
   * is there, so that the client knows it is connected. A failure after that is a last frame. Default 5,000.
   */
  readonly streamOpenMs: number;
}

/** Enough to correct a request by; one made to fail everywhere must not be answered by a larger answer. */
export const MAX_VIOLATIONS = 20;
/** Characters of an unknown name that is compared with the known ones. */
export const MEANT_NAME_CHARS = 64;
/** Letters added, left out or changed, up to which a known name counts as meant. */
export const MEANT_EDITS = 2;

export const DEFAULT_LIMITS: TranscoderLimits = {
  bodyBytes: 262_144,
  jsonDepth: 32,
  jsonKeys: 100_000,
  jsonValues: 1_000_000,
  queryParameters: 1_000,
  queryDepth: 32,
  targetBytes: 16_384,
  headerBytes: 32_768,
  keepAliveMs: 15_000,
  streamOpenMs: 5_000,
};
