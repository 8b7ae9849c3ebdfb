import type { Clock } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import type { ReadModel, StreamProgress, StreamState } from "./ports.ts";

/** How fresh the answers are. */
export interface Freshness {
  /** Everything that was published up to here is searchable; epoch milliseconds. */
  readonly asOfMs: number;
  /** How long ago that is. */
  readonly lagMs: number;
}

/** Knows how far the read model is behind what was published. */
export interface FreshnessGauge {
  /** The freshness as it was last measured; asking costs nothing. */
  read(): Freshness;
  /** Measures once more, now. */
  measure(): Promise<void>;
  /** Measures again and again until the signal ends it. */
  run(signal: AbortSignal): Promise<void>;
}

const PERIOD_MS = 200;
const SAMPLE_LIMIT = 2_000;

/**
 * Measures how fresh the read model is.
 *
 * Each measurement notes the newest event of each stream. As soon as the broker says, for all processes
 * together, that every event up to that one is stored, and the store has settled after that, everything
 * published there up to the moment of the note is searchable; the stream that is furthest behind counts. So
 * `asOf` never runs ahead of what a search finds, and no publication time is needed. While the broker or the
 * store is away, `asOf` stands still and the lag grows, which is the truth.
 */
export function createFreshness(parts: {
  readonly readModel: Pick<ReadModel, "settle">;
  readonly progress: StreamProgress;
  readonly clock: Clock;
  onMeasured(measured: Freshness & { readonly behind: number }): void;
  onFailed(error: unknown): void;
}): FreshnessGauge {
  const { readModel, progress, clock } = parts;
  const notes = new Map<string, StreamNotes>();
  // The epoch stands for: not known yet. To say "now" would promise what a rebuild has not reached.
  let asOfMs = 0;
  let settled = "";
  const read = () => ({ asOfMs, lagMs: Math.max(0, Math.round(clock.nowMs() - asOfMs)) });
  const measure = async () => {
    const askedMs = clock.nowMs();
    const states = await progress.read();
    const reachedMs = states.map((state) => {
      const known = notes.get(state.stream) ?? new StreamNotes();
      notes.set(state.stream, known);
      return known.add(state, askedMs);
    });
    const behind = states.reduce((sum, state) => sum + state.behind, 0);
    // Where nothing was stored since, there is nothing to settle: an idle platform leaves its store alone.
    const stored = behind === 0 ? states.map((state) => `${state.stream}:${state.lastSequence}`).join() : "";
    if (behind > 0 || stored !== settled) await readModel.settle();
    settled = stored;
    asOfMs = Math.max(asOfMs, Math.min(askedMs, ...reachedMs));
    parts.onMeasured({ ...read(), behind });
  };
  return {
    read,
    measure,
    async run(signal) {
      while (!signal.aborted) {
        await measure().catch((error: unknown) => parts.onFailed(error));
        await wait(PERIOD_MS, signal);
      }
    },
  };
}

/** Which event of a stream was the newest at which time, oldest note first, until that event is stored. */
class StreamNotes {
  #notes: { readonly sequence: number; readonly timeMs: number }[] = [];
  #reachedMs = 0;

  /** @returns up to when everything of the stream is known to be stored; 0 while that is not known */
  add(state: StreamState, timeMs: number): number {
    if (state.behind === 0) {
      this.#notes = [];
      this.#reachedMs = timeMs;
      return timeMs;
    }
    // A stream that was made anew counts from the beginning.
    if ((this.#notes.at(-1)?.sequence ?? 0) > state.lastSequence) this.#notes = [];
    this.#notes.push({ sequence: state.lastSequence, timeMs });
    const open = this.#notes.findIndex((note) => note.sequence > state.doneSequence);
    const done = open < 0 ? this.#notes : this.#notes.slice(0, open);
    this.#notes = this.#notes.slice(done.length);
    // Far behind, every second note is precise enough.
    if (this.#notes.length > SAMPLE_LIMIT) this.#notes = this.#notes.filter((_, index) => index % 2 === 0);
    this.#reachedMs = done.at(-1)?.timeMs ?? this.#reachedMs;
    return this.#reachedMs;
  }
}
