import type { Publisher } from "../messaging/publisher.ts";
import {
  ensureStreams,
  forgetDuplicates,
  STREAM_MAX_AGE_MS,
  type StreamState,
  streamState,
} from "../messaging/streams.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Clock } from "../time/clock.ts";
import { PUBLISHED_BEFORE, READ_STREAM, SAVE_STREAM } from "./relay-statements.ts";
import type { RelayTerm } from "./relay-term.ts";
import { republish } from "./republish.ts";

interface Seen {
  readonly created: string;
  readonly lastSequence: number;
  readonly publishedBeforeMs: number;
}

interface StreamWatchOptions {
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly stream: string;
  readonly term: RelayTerm;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps the stream there and whole: makes it when it is absent, and lets everything be published again that
 * it lost.
 *
 * A stream has lost something when it was made anew, when its last sequence went back (a broker that came
 * back from an older disk), or when somebody took messages out of it that were not old enough to leave. In the
 * last case the broker still takes them for duplicates, and has to forget them first.
 *
 * It does not see what was acknowledged since its last look, five seconds ago at most, where the broker loses that
 * together with this process, as in a power cut: then `republish` is to be asked for.
 */
export class StreamWatch {
  readonly #options: StreamWatchOptions;
  /** The highest sequence that was ever acknowledged to this process. */
  #highest = 0;
  /** The lowest sequence that was given a second time. */
  #again = Number.POSITIVE_INFINITY;
  /** The stream at the last look of this process. */
  #before: StreamState | undefined;

  constructor(options: StreamWatchOptions) {
    this.#options = options;
  }

  /** The highest sequence so far: whatever is sent from now on has to get a higher one. */
  get highest(): number {
    return this.#highest;
  }

  /**
   * Notes the sequence that the stream gave to a new message.
   *
   * @param floor - `highest` when the message was sent
   * @returns false when the sequence was given before: then the stream has lost something
   */
  stored(sequence: number, floor: number): boolean {
    this.#highest = Math.max(this.#highest, sequence);
    if (sequence > floor) return true;
    this.#again = Math.min(this.#again, sequence);
    return false;
  }

  /**
   * Looks at the stream, and sees to it that nothing stays lost.
   *
   * @throws NatsError or Fault when the broker or the database is away
   */
  async check(): Promise<void> {
    const { pool, publisher, stream, term, logger } = this.#options;
    const connection = await publisher.connection;
    const [seen] = await pool.query<Seen>(READ_STREAM, [stream]);
    // Asked before the stream is: what was acknowledged by then is in what the stream tells.
    const [published] = await pool.query<{ publishedBeforeMs: number }>(PUBLISHED_BEFORE, []);
    await ensureStreams(connection, [stream]);
    const state = await streamState(connection, stream);
    if (state === undefined) throw new Error(`the stream ${stream} is gone again`);
    const lost = seen === undefined ? undefined : this.#lost(seen, state);
    const fromMs = lost?.fromMs;
    if (fromMs !== undefined) {
      // Before they are noted: once they are, nothing tells any more that the broker has to forget them.
      if (lost?.purged === true) await forgetDuplicates(connection, stream);
      const { events } = await republish({ pool, fromMs, clock: this.#options.clock });
      logger.warn("the stream lost messages; they are published again", { stream, events });
    }
    this.#before = state;
    this.#highest = state.lastSequence;
    this.#again = Number.POSITIVE_INFINITY;
    const before = fromMs ?? published?.publishedBeforeMs ?? 0;
    await pool.query(SAVE_STREAM, [
      stream,
      state.created,
      state.lastSequence,
      before,
      term.holder,
      term.number,
    ]);
  }

  /** From when on events may be missing, if any, and whether the broker takes them for duplicates. */
  #lost(seen: Seen, state: StreamState): { readonly fromMs: number; readonly purged: boolean } | undefined {
    const everythingMs = this.#options.clock.nowMs() - STREAM_MAX_AGE_MS;
    // What was stored up to here was never stored again, so it is still there.
    const whole = Math.min(state.lastSequence, this.#again - 1);
    if (state.created !== seen.created || whole < seen.lastSequence) {
      return { fromMs: everythingMs, purged: false };
    }
    if (this.#isPurged(seen, state, everythingMs)) return { fromMs: everythingMs, purged: true };
    // What was there at the last look still is; what came after it may not be.
    return whole < this.#highest ? { fromMs: seen.publishedBeforeMs, purged: false } : undefined;
  }

  #isPurged(seen: Seen, state: StreamState, everythingMs: number): boolean {
    const before = this.#before;
    // The first look of this process: only what an earlier one wrote down is known.
    if (before === undefined || before.created !== state.created) {
      return state.firstSequence > seen.lastSequence + 1 || (state.messages === 0 && state.lastSequence > 0);
    }
    if (state.deleted > before.deleted) return true;
    if (state.firstSequence === before.firstSequence) return false;
    // A message leaves by itself at its age, the oldest first; what was stored since the last look is far from it.
    const firstWasYoung = before.messages > 0 && before.firstTimeMs > everythingMs;
    return firstWasYoung || state.firstSequence > before.lastSequence + 1;
  }
}
