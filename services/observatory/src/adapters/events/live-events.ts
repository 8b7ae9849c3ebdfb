import type { Logger } from "@orrery/mesh/telemetry/logger";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import { AckPolicy, DeliverPolicy, Events, type JsMsg, type NatsConnection, nanos, ReplayPolicy } from "nats";
import type { LiveEvent, LiveEvents } from "../../application/ports.ts";
import { readEvent } from "./event-reader.ts";
import { connected, JOB_STREAM } from "./job-stream.ts";

type Listener = (event: LiveEvent | "lost") => void;

/** How far back a new subscription reaches. */
const REACH_MS = 6_000;
const KEPT_LIMIT = 20_000;
const KEEP_STRIDE = 1_000;
const INACTIVE_LIMIT_MS = 30_000;

/**
 * What is being published, by one consumer of this process that all its watches share. It exists while there
 * is a watch.
 *
 * The consumer acknowledges nothing; that none is missed is seen from the stream's own numbers, which have no
 * gaps. On a gap, or when the connection was lost, every watch is told and begins again.
 */
export function liveEvents(
  connecting: Promise<NatsConnection>,
  parts: { readonly clock: Clock; readonly logger: Logger },
): LiveEvents {
  let feed: Promise<Feed> | undefined;
  const watchConnection = async (): Promise<void> => {
    const connection = await connecting;
    for await (const { type } of connection.status()) {
      if (type === Events.Disconnect) await feed?.then((open) => open.end());
    }
  };
  // A connection that never came is the concern of whoever asked for it.
  watchConnection().catch(() => undefined);
  return {
    async subscribe(listener) {
      feed ??= openFeed(await connected(connecting), parts, () => {
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
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  onEnd: () => void,
): Promise<Feed> {
  const openedMs = clock.nowMs() - REACH_MS;
  const listeners = new Set<Listener>();
  let recent: LiveEvent[] = [];
  let completeSinceMs = openedMs;
  let lastSequence = 0;
  let ended = false;
  const { messages, remove } = await openMessages(connection, openedMs);
  const end = (): void => {
    if (ended) return;
    ended = true;
    onEnd();
    remove();
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
    if ("deadLetter" in reading) return;
    const { project, eventId, envelope, keys } = reading.projection.event;
    const event = { project, eventId, envelope, keys, publishedMs: timestampNanos / 1e6 };
    keep(event);
    for (const listener of listeners) listener(event);
  };
  const follow = async (): Promise<void> => {
    for await (const message of messages) take(message);
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

async function openMessages(connection: NatsConnection, sinceMs: number) {
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const name = `observatory-live-${uuidV7().replaceAll("-", "")}`;
  await manager.consumers.add(JOB_STREAM, {
    name,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(sinceMs).toISOString(),
    replay_policy: ReplayPolicy.Instant,
    inactive_threshold: nanos(INACTIVE_LIMIT_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  const consumer = await connection.jetstream().consumers.get(JOB_STREAM, name);
  const messages = await consumer.consume({ max_messages: 500 });
  const remove = (): void => {
    void messages.close();
    // Where that fails the consumer goes by itself once nobody has asked it for a while.
    manager.consumers.delete(JOB_STREAM, name).catch(() => undefined);
  };
  return { messages, remove };
}
