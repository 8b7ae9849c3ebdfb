/** Tells the time. A parameter wherever code decides by time, so that a test can turn the hands. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z, by the wall clock of this process: may jump. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start, never going back: for durations and deadlines. */
  monotonicMs(): number;
}

/** Draws lots. A parameter wherever code uses jitter, so that a test can fix the draw. */
export interface Chance {
  /** A number in [0, 1), evenly spread. Not for secrets. */
  next(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** The chance of this machine. */
export const systemChance: Chance = { next: () => Math.random() };

const COUNTER_LIMIT = 0xfff;
const TIMESTAMP_HEX_DIGITS = 12;

let lastMs = 0;
let counter = 0;

/**
 * Makes an id whose text sorts by the time of its making.
 *
 * Ids of one process grow strictly: within a millisecond a 12-bit counter stands where `rand_a` is, and when
 * it runs over, or the clock goes back, the timestamp runs ahead of the clock instead.
 *
 * @returns 36 characters, lower case. Guessable in time: never a secret.
 * @see RFC 9562, section 5.7 (UUIDv7) and section 6.2, method 1 (counter)
 */
export function uuidV7(clock: Clock = systemClock): string {
  const nowMs = Math.floor(clock.nowMs());
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else if (counter < COUNTER_LIMIT) {
    counter += 1;
  } else {
    lastMs += 1;
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(TIMESTAMP_HEX_DIGITS, "0");
  const ordinal = counter.toString(16).padStart(3, "0");
  // The last two groups of a random UUIDv4 are variant and random bits, exactly as UUIDv7 wants them.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${ordinal}-${crypto.randomUUID().slice(19)}`;
}
