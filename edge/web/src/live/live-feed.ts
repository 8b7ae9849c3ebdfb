import type { Envelope } from "../api/contract.ts";
import { WATCH_ROUTE } from "../api/contract.ts";
import type { Reader } from "../api/read.ts";
import { type Frame, framesOf } from "./event-frames.ts";

/** `paused`: by the user. `asleep`: nobody looks at the page. `lost`: sought again, what is shown may be old. */
export type FeedState = "connecting" | "live" | "lost" | "paused" | "asleep";

/** What the stream brought since the last time; `gap` when something may have been missed. */
export interface Batch {
  readonly events: readonly Envelope[];
  readonly gap: boolean;
}

/** The project's events as they happen, over one connection. */
export interface LiveFeed {
  readonly state: () => FeedState;
  onState(listener: () => void): () => void;
  onBatch(listener: (batch: Batch) => void): () => void;
  pause(): void;
  resume(): void;
  /** Closes the connection while nobody looks, and goes on where it was afterwards. */
  sleep(): void;
  wake(): void;
  close(): void;
}

export interface FeedParts {
  readonly open: Reader["open"];
  /** Milliseconds between batches: a screen is drawn at most four times a second. */
  readonly batchMs?: number;
  /** 0 up to 1, for the jitter of waits. */
  readonly chance?: () => number;
}

const WAIT_BASE_MS = 500;
const WAIT_CAP_MS = 30_000;
/** The edge sends a comment every 15 seconds: three missed ones mean that the connection is dead. */
const SILENCE_MS = 50_000;
/** More than this between two drawings says nothing to a person: what is shown is read anew instead. */
const BATCH_LIMIT = 2_000;

/** Opens the feed. It connects at once, again after a loss (0.5 to 30 s, jittered), and resumes where it was. */
export function createLiveFeed({ open, batchMs = 250, chance = Math.random }: FeedParts): LiveFeed {
  const stateListeners = new Set<() => void>();
  const batchListeners = new Set<(batch: Batch) => void>();
  let state: FeedState = "connecting";
  let lastId = "";
  let stoodBefore = false;
  let connection: AbortController | undefined;
  let waiting: Envelope[] = [];
  let gap = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const become = (next: FeedState) => {
    if (state === next) return;
    state = next;
    for (const listener of stateListeners) listener();
  };
  const deliver = () => {
    timer = undefined;
    const batch = { events: waiting, gap };
    waiting = [];
    gap = false;
    for (const listener of batchListeners) listener(batch);
  };
  const take = (frame: Frame) => {
    if (frame.id !== "") lastId = frame.id;
    if (frame.event === "reset" || waiting.length >= BATCH_LIMIT) gap = true;
    else waiting.push(JSON.parse(frame.data) as Envelope);
    timer ??= setTimeout(deliver, batchMs);
  };
  const stop = (next: FeedState) => {
    connection?.abort();
    connection = undefined;
    become(next);
  };
  const start = () => {
    if (connection !== undefined) return;
    connection = new AbortController();
    become("connecting");
    void keepConnected(connection.signal);
  };

  const opened = (resumed: boolean) => {
    become("live");
    // Without a place to resume from, whatever came between two connections was missed.
    if (stoodBefore && !resumed) take({ id: "", event: "reset", data: "" });
    stoodBefore = true;
  };

  async function keepConnected(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const began = await follow({ open, lastId, signal, opened, take });
      if (signal.aborted) return;
      failures = began ? 1 : failures + 1;
      become("lost");
      const longest = Math.min(WAIT_CAP_MS, WAIT_BASE_MS * 2 ** failures);
      await pause(longest * (0.5 + chance() / 2), signal);
    }
  }

  start();
  return {
    state: () => state,
    onState: (listener) => listen(stateListeners, listener),
    onBatch: (listener) => listen(batchListeners, listener),
    pause: () => stop("paused"),
    resume: start,
    sleep: () => state !== "paused" && stop("asleep"),
    wake: () => state === "asleep" && start(),
    close: () => {
      stop("paused");
      clearTimeout(timer);
    },
  };
}

interface Following {
  readonly open: Reader["open"];
  readonly lastId: string;
  readonly signal: AbortSignal;
  /** Told when the connection stands, and whether it goes on where the one before broke off. */
  opened(resumed: boolean): void;
  take(frame: Frame): void;
}

/** Follows one connection to its end; says whether it ever stood. */
async function follow({ open, lastId, signal, opened, take }: Following): Promise<boolean> {
  const silence = new AbortController();
  let quiet = setTimeout(() => silence.abort(), SILENCE_MS);
  const heard = () => {
    clearTimeout(quiet);
    quiet = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  let stood = false;
  try {
    const response = await open(WATCH_ROUTE, {
      headers: {
        accept: "text/event-stream, application/problem+json",
        ...(lastId !== "" && { "last-event-id": lastId }),
      },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    stood = true;
    opened(lastId !== "");
    if (response.body !== null) for await (const frame of framesOf(response.body, heard)) take(frame);
  } catch {
    // Why it broke does not matter: the state says that it did, and it is sought again.
  } finally {
    clearTimeout(quiet);
  }
  return stood;
}

function listen<L>(listeners: Set<L>, listener: L): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((over) => {
    const ending = new AbortController();
    const end = () => {
      clearTimeout(timer);
      ending.abort();
      over();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true, signal: ending.signal });
  });
}
