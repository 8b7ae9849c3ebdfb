import { streamState } from "@orrery/mesh/messaging/streams";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import { AckPolicy, DeliverPolicy, Events, type JsMsg, type NatsConnection, nanos, ReplayPolicy } from "nats";
import type { LiveEvent, LiveEvents } from "../../application/ports.ts";
import { readEvent } from "./event-reader.ts";
import { connected, WATCHED_STREAMS } from "./event-streams.ts";

type Listener = (event: LiveEvent | "lost") => void;

/** How far back a new subscription reaches. */
const REACH_MS = 6_000;
const KEPT_LIMIT = 20_000;
const KEEP_STRIDE = 1_000;
const INACTIVE_LIMIT_MS = 30_000;

/** How often a stream that is not there is looked for. */
const LOOK_MS = 1_000;

interface FeedParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * What is being published, by one consumer for each stream that all watches of this process share. They exist
 * while there is a watch.
 *
 * The consumers acknowledge nothing; that none is missed is seen from a stream's own numbers, which have no
 * gaps. On a gap, or when the connection was lost, every watch is told and begins again.
 */
export function liveEvents(connecting: Promise<NatsConnection>, parts: FeedParts): LiveEvents {
  const sources = WATCHED_STREAMS.map((stream) => liveStream(connecting, stream, parts));
  return {
    async subscribe(listener) {
      using scope = new DisposableStack();
      let sinceMs = 0;
      // One after the other: what was joined before another fails is let go of by the scope.
      for (const source of sources) {
        const joined = scope.use(await source.subscribe(listener));
        sinceMs = Math.max(sinceMs, joined.sinceMs);
      }
      const release = scope.move();
      return { sinceMs, [Symbol.dispose]: () => release.dispose() };
    },
  };
}

function liveStream(connecting: Promise<NatsConnection>, stream: string, parts: FeedParts): LiveEvents {
  let feed: Promise<Feed> | undefined;
  const watchConnection = async (): Promise<void> => {
    const connection = await connecting;
    for await (const { type } of connection.status()) {
      if (type !== Events.Disconnect) continue;
      // One that could not be opened has nothing to end, and whoever asked for it knows.
      await feed?.then(
        (open) => open.end(),
        () => undefined,
      );
    }
  };
  // A connection that never came is the concern of whoever asked for it.
  watchConnection().catch(() => undefined);
  return {
    async subscribe(listener) {
      feed ??= openFeed(await connected(connecting), stream, parts, () => {
        feed = undefined;
      });
      const opened = await feed.catch((error: unknown) => {
        feed = undefined;
        throw error;
      });
      return opened.join(listener);
    },
  };
}

interface Feed {
  /** Tells every listener, and begins anew with the next one. */
  end(): void;
  join(listener: Listener): Disposable & { readonly sinceMs: number };
}

async function openFeed(
  connection: NatsConnection,
  stream: string,
  { clock, logger }: FeedParts,
  onEnd: () => void,
): Promise<Feed> {
  const openedMs = clock.nowMs() - REACH_MS;
  const listeners = new Set<Listener>();
  let recent: LiveEvent[] = [];
  let completeSinceMs = openedMs;
  let lastSequence = 0;
  let ended = false;
  const messages = await openMessages(connection, stream, openedMs);
  const end = (): void => {
    if (ended) return;
    ended = true;
    onEnd();
    messages.remove();
    for (const listener of listeners) listener("lost");
    listeners.clear();
  };
  const keep = (event: LiveEvent): void => {
    recent.push(event);
    // In strides, because taking the first element off a long array moves all the others.
    const first = recent[KEEP_STRIDE];
    if (first === undefined || (first.publishedMs > clock.nowMs() - REACH_MS && recent.length < KEPT_LIMIT))
      return;
    completeSinceMs = first.publishedMs;
    recent = recent.slice(KEEP_STRIDE);
  };
  const take = (message: JsMsg): void => {
    const { streamSequence, timestampNanos } = message.info;
    if (lastSequence !== 0 && streamSequence !== lastSequence + 1) {
      end();
      return;
    }
    lastSequence = streamSequence;
    const reading = readEvent(message.string());
    if ("deadLetter" in reading || reading.projection.event === undefined) return;
    const { project, eventId, envelope, keys } = reading.projection.event;
    const event = { project, eventId, envelope, keys, publishedMs: timestampNanos / 1e6 };
    keep(event);
    for (const listener of listeners) listener(event);
  };
  const follow = async (): Promise<void> => {
    await messages.each(take);
    end();
  };
  follow().catch((error: unknown) => {
    logger.warn("the live feed of events ended", { error });
    end();
  });
  return {
    end,
    join(listener) {
      for (const event of recent) listener(event);
      if (ended) listener("lost");
      else listeners.add(listener);
      return {
        sinceMs: completeSinceMs,
        [Symbol.dispose]() {
          if (listeners.delete(listener) && listeners.size === 0) end();
        },
      };
    },
  };
}

/** What a feed takes its messages from. */
interface Messages {
  /** Hands over each message, and resolves when there will be no more. */
  each(take: (message: JsMsg) => void): Promise<void>;
  remove(): void;
}

async function openMessages(connection: NatsConnection, stream: string, sinceMs: number): Promise<Messages> {
  if ((await streamState(connection, stream)) === undefined) return untilThere(connection, stream);
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const name = `observatory-live-${uuidV7().replaceAll("-", "")}`;
  await manager.consumers.add(stream, {
    name,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(sinceMs).toISOString(),
    replay_policy: ReplayPolicy.Instant,
    inactive_threshold: nanos(INACTIVE_LIMIT_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  const consumer = await connection.jetstream().consumers.get(stream, name);
  const messages = await consumer.consume({ max_messages: 500 });
  return {
    async each(take) {
      for await (const message of messages) take(message);
    },
    remove() {
      void messages.close();
      // Where that fails the consumer goes by itself once nobody has asked it for a while.
      manager.consumers.delete(stream, name).catch(() => undefined);
    },
  };
}

/** No messages, and an end as soon as the stream is there: the watches then begin again and find it. */
function untilThere(connection: NatsConnection, stream: string): Messages {
  const removed = new AbortController();
  return {
    async each() {
      do await wait(LOOK_MS, removed.signal);
      while (!removed.signal.aborted && (await streamState(connection, stream)) === undefined);
    },
    remove: () => removed.abort(),
  };
}
