import {
  DiscardPolicy,
  type JetStreamManager,
  type NatsConnection,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "nats";
import { wait } from "../time/wait.ts";

/** What a stream is made of: the same on every rung. */
export interface StreamDeclaration {
  /** As in `ORRERY_<CONTEXT>`. */
  readonly name: string;
  readonly description: string;
  readonly subjects: readonly string[];
  readonly maxAgeMs: number;
  /** Bytes of storage it may take; halved as often as it takes where the broker has less room. */
  readonly maxBytes: number;
}

/** What a stream holds right now. */
export interface StreamState {
  /** When it was made, as the broker writes it: another one is another stream of the same name. */
  readonly created: string;
  readonly messages: number;
  /** The sequence of the last message, 0 before the first. */
  readonly lastSequence: number;
  /** The sequence of the first message that is kept; of the next one where there is none. */
  readonly firstSequence: number;
  /** When the first message that is kept was stored, in milliseconds since the epoch; below 0 where there is none. */
  readonly firstTimeMs: number;
  /** How many messages between the first and the last were taken out. */
  readonly deleted: number;
}

/** Milliseconds that a stream of events keeps them. The outbox keeps them longer. */
export const STREAM_MAX_AGE_MS = 7 * 24 * 60 * 60 * 1_000;

/** The stream of messages that consumers gave up on. */
export const DEAD_LETTERS = "ORRERY_DEAD_LETTERS";

const GIB = 1024 ** 3;
const LEAST_BYTES = 64 * 1024 ** 2;
const DUPLICATE_WINDOW_MS = 120_000;
/** The least that a broker takes, and a little more. */
const FORGETTING_WINDOWS_MS = [100, 150];
const FORGETTING_MARGIN_MS = 100;
const DEAD_LETTER_AGE_MS = 30 * 24 * 60 * 60 * 1_000;
const PREFIX = "ORRERY_";

/**
 * Error codes of the JetStream API. @see https://github.com/nats-io/nats-server/blob/main/server/errors.json
 */
const API_ERROR = { INSUFFICIENT_STORAGE: 10047, STREAM_NOT_FOUND: 10059, STREAM_EXISTS: 10058 };

/** The name of the stream of one context's events, as `ORRERY_<CONTEXT>`. */
export function eventStreamName(context: string): string {
  return `${PREFIX}${context.toUpperCase().replaceAll("-", "_")}`;
}

/** What the stream of that name is made of: the dead letters, or the events of one context. */
function streamDeclaration(name: string): StreamDeclaration {
  if (name === DEAD_LETTERS) {
    return {
      name,
      description: "Messages that a consumer gave up on, with where they came from",
      subjects: ["orrery.dead_letters.>"],
      maxAgeMs: DEAD_LETTER_AGE_MS,
      maxBytes: GIB,
    };
  }
  const context = name.slice(PREFIX.length).toLowerCase();
  return {
    name,
    description: `Events of the context ${context}; its outbox can make it again`,
    subjects: [`orrery.events.v1.${context}.>`],
    maxAgeMs: STREAM_MAX_AGE_MS,
    maxBytes: 16 * GIB,
  };
}

/**
 * Makes the streams of these names, and brings those that exist to what is declared. Do it at every connect:
 * a broker that lost its store has none.
 *
 * The user needs to publish to `$JS.API.STREAM.{INFO,CREATE,UPDATE}.<stream>` for each, and to receive on its
 * inbox.
 *
 * @throws NatsError when the broker is away or refuses
 */
export async function ensureStreams(connection: NatsConnection, names: readonly string[]): Promise<void> {
  const manager = await streamManager(connection);
  for (const name of names) await ensureStream(manager, streamDeclaration(name));
}

/**
 * What the stream holds, or nothing when there is no such stream.
 *
 * @throws NatsError when the broker does not answer
 */
export async function streamState(
  connection: NatsConnection,
  name: string,
): Promise<StreamState | undefined> {
  const manager = await streamManager(connection);
  const info = await unlessAbsent(manager.streams.info(name));
  if (info === undefined) return undefined;
  const { messages, first_seq, first_ts, last_seq, num_deleted } = info.state;
  return {
    created: info.created,
    messages,
    lastSequence: last_seq,
    firstSequence: first_seq,
    firstTimeMs: Date.parse(first_ts),
    deleted: num_deleted ?? 0,
  };
}

/**
 * Lets a stream take again what it was given within its window of two minutes: without this it calls a message a
 * duplicate whose first copy somebody has purged. Takes about half a second, during which it takes each message it is
 * given.
 *
 * A smaller window makes the broker look through its table, but it may do so before the new window holds (seen with
 * nats-server 2.12): so the window changes twice, further apart than either, and then back. Should this end half-way,
 * `ensureStreams` sets the window right.
 *
 * The user needs to publish to `$JS.API.STREAM.{INFO,UPDATE}.<stream>`.
 *
 * @throws NatsError when the broker is away or refuses
 */
export async function forgetDuplicates(connection: NatsConnection, name: string): Promise<void> {
  const manager = await streamManager(connection);
  const { config } = await manager.streams.info(name);
  for (const windowMs of FORGETTING_WINDOWS_MS) {
    await manager.streams.update(name, { ...config, duplicate_window: nanos(windowMs) });
    await wait(Math.max(...FORGETTING_WINDOWS_MS) + FORGETTING_MARGIN_MS);
  }
  await manager.streams.update(name, { ...config, duplicate_window: nanos(DUPLICATE_WINDOW_MS) });
}

/** The code that the JetStream API gave a failure, as in 10059 for a stream that is not there. */
export function apiErrorCode(failure: unknown): number | undefined {
  return failure instanceof NatsError ? failure.api_error?.err_code : undefined;
}

/** The broker's answer about a stream, or nothing where there is no such stream. */
export async function unlessAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (failure) {
    if (apiErrorCode(failure) === API_ERROR.STREAM_NOT_FOUND) return undefined;
    throw failure;
  }
}

// Without the check of the account's limits, which would need a permission more.
function streamManager(connection: NatsConnection): Promise<JetStreamManager> {
  return connection.jetstreamManager({ checkAPI: false });
}

async function ensureStream(manager: JetStreamManager, declaration: StreamDeclaration): Promise<void> {
  const info = await unlessAbsent(manager.streams.info(declaration.name));
  for (let maxBytes = declaration.maxBytes; ; maxBytes = Math.floor(maxBytes / 2)) {
    const config = configFrom({ ...declaration, maxBytes });
    try {
      if (info === undefined) await manager.streams.add(config);
      else if (differs(info.config, config)) await manager.streams.update(declaration.name, config);
      return;
    } catch (failure) {
      const code = apiErrorCode(failure);
      // Another process made it in this moment.
      if (info === undefined && code === API_ERROR.STREAM_EXISTS) return;
      if (code !== API_ERROR.INSUFFICIENT_STORAGE || maxBytes < LEAST_BYTES) throw failure;
      // It keeps the size that it was given when there was the same lack of room.
      if (info !== undefined) return;
    }
  }
}

function configFrom({
  name,
  description,
  subjects,
  maxAgeMs,
  maxBytes,
}: StreamDeclaration): Partial<StreamConfig> & {
  name: string;
} {
  return {
    name,
    description,
    subjects: [...subjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: nanos(maxAgeMs),
    max_bytes: maxBytes,
    // A full stream refuses, and the outbox keeps what was refused; dropping the oldest would lose it in
    // silence.
    discard: DiscardPolicy.New,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    allow_direct: true,
  };
}

function differs(current: StreamConfig, wanted: Partial<StreamConfig>): boolean {
  const fields = ["description", "subjects", "max_age", "discard", "duplicate_window"] as const;
  if (fields.some((field) => JSON.stringify(current[field]) !== JSON.stringify(wanted[field]))) return true;
  // Halved for lack of room when it was made: asking for the whole again at each connect would be refused
  // each time.
  const halvings = Math.log2((wanted.max_bytes ?? 0) / current.max_bytes);
  return !(halvings >= 0 && Number.isInteger(halvings));
}
