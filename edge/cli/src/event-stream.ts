import type { Api } from "./api.ts";
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";

/** One frame of a server-sent event stream. */
export interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

const WAIT_BASE_MS = 250;
const WAIT_CAP_MS = 5_000;
/** The edge sends a comment every 15 seconds: three missed ones mean that the connection is dead. */
const SILENCE_LIMIT_MS = 50_000;

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Hears of a connection that was lost and is sought again. */
  readonly onLost?: (waitMs: number) => void;
  /** Milliseconds of silence after which a connection counts as lost. */
  readonly silenceMs?: number;
}

/**
 * Follows a stream of the edge, over as many connections as it takes: each goes on where the one before broke
 * off (`Last-Event-ID`), after a wait of full jitter. Ends when the edge says that there is no more (204), or
 * with the signal; a connection that closes says nothing about the end.
 *
 * @throws Failure where the edge refuses; where that can pass, as a 503, not once frames have come
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function* follow(api: Api, path: string, options: FollowOptions): AsyncGenerator<Frame> {
  let lastId = "";
  let failures = 0;
  let begun = false;
  while (!options.signal.aborted) {
    try {
      for await (const frame of connection(api, path, lastId, options)) {
        begun = true;
        failures = 0;
        if (frame === "end") return;
        lastId = frame.id;
        yield frame;
      }
    } catch (error) {
      if (options.signal.aborted) return;
      const passing = !(error instanceof Failure) || (begun && error.about.exitCode === EXIT.unreachable);
      if (!passing) throw error;
    }
    failures += 1;
    const waitMs = Math.random() * Math.min(WAIT_CAP_MS, WAIT_BASE_MS * 2 ** failures);
    options.onLost?.(waitMs);
    await pause(waitMs, options.signal);
  }
}

async function* connection(
  api: Api,
  path: string,
  lastId: string,
  { signal, query = {}, silenceMs = SILENCE_LIMIT_MS }: FollowOptions,
): AsyncGenerator<Frame | "end"> {
  const silence = new AbortController();
  const headers = { accept: "text/event-stream", ...(lastId === "" ? {} : { "last-event-id": lastId }) };
  const response = await api.open("GET", path, {
    query,
    headers,
    signal: AbortSignal.any([signal, silence.signal]),
  });
  if (response.status === 204 || response.body === null) {
    yield "end";
    return;
  }
  let timer = setTimeout(() => silence.abort(), silenceMs);
  try {
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
    };
    yield* framesOf(response.body, lastId, heard);
  } finally {
    clearTimeout(timer);
  }
}

/** Parses the frames of a body. A comment is no frame; a frame without an id has that of the one before. */
export async function* framesOf(
  body: AsyncIterable<Uint8Array>,
  lastId: string,
  heard: () => void = () => undefined,
): AsyncGenerator<Frame> {
  const decoder = new TextDecoder();
  let rest = "";
  let frame = { id: lastId, event: "message", data: [] as string[] };
  for await (const chunk of body) {
    heard();
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        takeField(frame, line);
        continue;
      }
      if (frame.data.length > 0) yield { id: frame.id, event: frame.event, data: frame.data.join("\n") };
      frame = { id: frame.id, event: "message", data: [] };
    }
  }
}

function takeField(frame: { id: string; event: string; data: string[] }, line: string): void {
  const [, name, value = ""] = /^([^:]+)(?:: ?(.*))?$/s.exec(line) ?? [];
  if (name === "id") frame.id = value;
  else if (name === "event") frame.event = value;
  else if (name === "data") frame.data.push(value);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((over) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      over();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
