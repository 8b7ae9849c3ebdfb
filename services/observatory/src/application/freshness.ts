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
 * store is away, `asOf` stands still and the lag grows, which is the truth. A store that was made anew is not known
 * to hold anything until it has caught up.
 */
export function createFreshness(parts: {
  readonly readModel: Pick<ReadModel, "settle">;
  readonly progress: StreamProgress;
  readonly clock: Clock;
  onMeasured(measured: Freshness & { readonly behind: number }): void;
  onFailed(error: unknown): void;
}): FreshnessGauge {
  const { readModel, progress, clock } = parts;
  let latest = new Known(progress.generation());
  const known = () => {
    const generation = progress.generation();
    if (latest.generation !== generation) latest = new Known(generation);
    return latest;
  };
  const read = () => {
    const { asOfMs } = known();
    return { asOfMs, lagMs: Math.max(0, Math.round(clock.nowMs() - asOfMs)) };
  };
  const measure = async () => {
    // Held on to: what is measured while another generation begins says nothing about that one.
    const measured = known();
    const askedMs = clock.nowMs();
    const states = await progress.read();
    const streams = measured.add(states, askedMs);
    const behind = streams.reduce((sum, stream) => sum + stream.behind, 0);
    // Where nothing was stored since, there is nothing to settle: an idle platform leaves its store alone.
    const stored = behind === 0 ? states.map((state) => `${state.stream}:${state.lastSequence}`).join() : "";
    if (behind > 0 || stored !== measured.settled) await readModel.settle();
    measured.settled = stored;
    measured.asOfMs = Math.max(
      measured.asOfMs,
      Math.min(askedMs, ...streams.map(({ reachedMs }) => reachedMs)),
    );
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

/** What is known of one generation of the store. Another one is empty at first: nothing of this holds for it. */
class Known {
  readonly generation: string | undefined;
  // The epoch stands for: not known yet. To say "now" would promise what a rebuild has not reached.
  asOfMs = 0;
  /** What was stored when the store settled last, with nothing behind. */
  settled = "";
  readonly #streams = new Map<string, StreamNotes>();

  constructor(generation: string | undefined) {
    this.generation = generation;
  }

  /**
   * @returns the streams that count: those there are, and those that went away before everything in them was
   * stored, because that is still missing
   */
  add(states: readonly StreamState[], timeMs: number): readonly StreamNotes[] {
    for (const state of states) {
      const notes = this.#streams.get(state.stream) ?? new StreamNotes();
      this.#streams.set(state.stream, notes);
      notes.add(state, timeMs);
    }
    const there = new Set(states.map(({ stream }) => stream));
    const counting = [...this.#streams].filter(([stream, { behind }]) => there.has(stream) || behind > 0);
    return counting.map(([, notes]) => notes);
  }
}

/** Which event of a stream was the newest at which time, oldest note first, until that event is stored. */
class StreamNotes {
  #notes: { readonly sequence: number; readonly timeMs: number }[] = [];
  /** Up to when everything of the stream is known to be stored; 0 while that is not known. */
  reachedMs = 0;
  behind = 0;

  add(state: StreamState, timeMs: number): void {
    this.behind = state.behind;
    if (state.behind === 0) {
      this.#notes = [];
      this.reachedMs = timeMs;
      return;
    }
    // A stream that was made anew counts from the beginning.
    if ((this.#notes.at(-1)?.sequence ?? 0) > state.lastSequence) this.#notes = [];
    this.#notes.push({ sequence: state.lastSequence, timeMs });
    const open = this.#notes.findIndex((note) => note.sequence > state.doneSequence);
    const done = open < 0 ? this.#notes : this.#notes.slice(0, open);
    this.#notes = this.#notes.slice(done.length);
    // Far behind, every second note is precise enough.
    if (this.#notes.length > SAMPLE_LIMIT) this.#notes = this.#notes.filter((_, index) => index % 2 === 0);
    this.reachedMs = done.at(-1)?.timeMs ?? this.reachedMs;
  }
}
