import { Events, type headers as emptyHeaders, type Msg, MsgHdrsImpl, type NatsConnection, nuid } from "nats";
import { METRIC } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { inboxPrefixOf } from "./connection.ts";

/** One message for a stream. */
export interface OutMessage {
  readonly subject: string;
  /** The same for each attempt: the broker stores one message of an id within its window of two minutes. */
  readonly msgId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: string | Uint8Array;
}

/**
 * What became of one message. A failed one may have been stored none the less: send it again under the same
 * id.
 */
export type PublishOutcome =
  | { readonly status: "ok" | "duplicate"; readonly sequence: number }
  | { readonly status: "failed"; readonly reason: string };

/** Hands messages to the broker. */
export interface Publisher {
  /**
   * Publishes to streams, in order, and waits for every acknowledgement, at most `ackTimeoutMs`. Never
   * rejects.
   *
   * While there is no connection every message fails at once: one that waited in a buffer could overtake a
   * repeat.
   *
   * @returns one outcome for each message, in order; a duplicate is as good as stored
   */
  publishAll(
    messages: readonly OutMessage[],
    options: { ackTimeoutMs: number },
  ): Promise<readonly PublishOutcome[]>;
  /** Sends a word, or nothing, to whoever listens right now. May be lost; never fails. */
  wake(subject: string, word?: string): void;
  /** Whether there is a connection right now. */
  isConnected(): boolean;
  /** How often a connection was made: another number means that the broker may be another one. */
  connections(): number;
  /** The connection itself, when there is one for the first time. */
  readonly connection: Promise<NatsConnection>;
}

interface Batch {
  readonly outcomes: (PublishOutcome | undefined)[];
  missing: number;
  /** Settles the batch, with `reason` for what was not answered. */
  readonly end: (reason: string) => void;
}

const MSG_ID = "Nats-Msg-Id";
const BREAKS_A_LINE = /[\r\n]/;

/**
 * Publishes with plain messages that ask for an acknowledgement on one shared inbox.
 *
 * The package's own `jetstream().publish` makes a request of its own for each message, for about 55 µs; this
 * way a message of 1 kB with nine headers takes 12 µs of CPU, and one process published 33,000 in a second on
 * two virtual cores that others used as well.
 *
 * The user needs to publish to the subjects of its messages and to receive on its inbox.
 *
 * @param connecting - what `connectNats` returns; until it resolves there is no connection
 * @param metrics - where the number of messages under way shows
 */
export function createPublisher(
  connecting: NatsConnection | Promise<NatsConnection>,
  metrics?: Metrics,
): Publisher {
  const publisher = new InboxPublisher(connecting);
  metrics?.sampled(
    METRIC.NATS_UNACKNOWLEDGED,
    "Messages that were handed to the broker and are not acknowledged yet.",
    [],
    (gauge) => gauge.set(publisher.unacknowledged()),
  );
  return publisher;
}

class InboxPublisher implements Publisher {
  readonly connection: Promise<NatsConnection>;
  readonly #batches = new Map<string, Batch>();
  #nats: NatsConnection | undefined;
  #inbox = "";
  #connected = false;
  #connections = 0;
  #lastBatch = 0;

  constructor(connecting: NatsConnection | Promise<NatsConnection>) {
    this.connection = Promise.resolve(connecting);
    if ("publish" in connecting) this.#begin(connecting);
    else {
      connecting.then(
        (nats) => this.#begin(nats),
        // A connection that never came is the concern of whoever asked for it.
        () => undefined,
      );
    }
  }

  isConnected(): boolean {
    return this.#open !== undefined;
  }

  /** The connection, while messages can go out; one that was closed a moment ago has not always said so yet. */
  get #open(): NatsConnection | undefined {
    return this.#connected && this.#nats?.isClosed() === false ? this.#nats : undefined;
  }

  connections(): number {
    return this.#connections;
  }

  unacknowledged(): number {
    return [...this.#batches.values()].reduce((sum, { missing }) => sum + missing, 0);
  }

  wake(subject: string, word = ""): void {
    this.#open?.publish(subject, word);
  }

  async publishAll(
    messages: readonly OutMessage[],
    { ackTimeoutMs }: { ackTimeoutMs: number },
  ): Promise<readonly PublishOutcome[]> {
    const nats = this.#open;
    if (messages.length === 0) return [];
    if (nats === undefined) return messages.map(() => failed("there is no connection"));
    const { promise, resolve } = Promise.withResolvers<readonly PublishOutcome[]>();
    this.#lastBatch += 1;
    const id = this.#lastBatch.toString(36);
    const batch: Batch = {
      outcomes: new Array<PublishOutcome | undefined>(messages.length),
      missing: messages.length,
      end: (reason) => {
        this.#batches.delete(id);
        resolve(Array.from(batch.outcomes, (outcome) => outcome ?? failed(reason)));
      },
    };
    this.#batches.set(id, batch);
    messages.forEach((message, index) => {
      try {
        const reply = `${this.#inbox}.${id}.${index.toString(36)}`;
        nats.publish(message.subject, message.data, { headers: headersOf(message), reply });
      } catch (failure) {
        settleOne(batch, index, failed(failure instanceof Error ? failure.message : "not sent"));
      }
    });
    const late = setTimeout(() => batch.end("no acknowledgement in time"), ackTimeoutMs);
    return promise.finally(() => clearTimeout(late));
  }

  #begin(nats: NatsConnection): void {
    this.#nats = nats;
    this.#inbox = `${inboxPrefixOf(nats)}.${nuid.next()}`;
    nats.subscribe(`${this.#inbox}.>`, {
      callback: (failure, message) => {
        if (failure === null) this.#acknowledged(message);
      },
    });
    this.#connected = !nats.isClosed();
    this.#connections = 1;
    void this.#follow(nats);
  }

  async #follow(nats: NatsConnection): Promise<void> {
    for await (const { type } of nats.status()) {
      if (type === Events.Disconnect) this.#lost();
      if (type === Events.Reconnect) {
        this.#connections += 1;
        this.#connected = true;
      }
    }
    this.#lost();
  }

  #lost(): void {
    this.#connected = false;
    for (const batch of [...this.#batches.values()]) batch.end("the connection was lost");
  }

  #acknowledged(message: Msg): void {
    const [id = "", index = ""] = message.subject.slice(this.#inbox.length + 1).split(".");
    const batch = this.#batches.get(id);
    if (batch !== undefined) settleOne(batch, Number.parseInt(index, 36), outcomeFrom(message));
  }
}

function settleOne(batch: Batch, index: number, outcome: PublishOutcome): void {
  if (batch.outcomes[index] !== undefined) return;
  batch.outcomes[index] = outcome;
  batch.missing -= 1;
  if (batch.missing === 0) batch.end("");
}

/** @see https://docs.nats.io/reference/reference-protocols/nats_api_reference (PubAck) */
function outcomeFrom(message: Msg): PublishOutcome {
  if (message.data.length === 0)
    return failed(message.headers?.description || "no stream takes this subject");
  const answer = message.json<{ seq?: number; duplicate?: boolean; error?: { description?: string } }>();
  if (answer.error !== undefined || answer.seq === undefined) {
    return failed(answer.error?.description ?? "the broker gave no sequence");
  }
  return { status: answer.duplicate === true ? "duplicate" : "ok", sequence: answer.seq };
}

function failed(reason: string): PublishOutcome {
  return { status: "failed", reason };
}

/**
 * `fromRecord` skips the library's lookup for each header, a third of the cost of a message; its check is
 * made here.
 */
function headersOf({ msgId, headers }: OutMessage): ReturnType<typeof emptyHeaders> {
  const record: Record<string, string[]> = { [MSG_ID]: [msgId] };
  for (const [name, value] of Object.entries(headers)) {
    if (BREAKS_A_LINE.test(value)) throw new TypeError(`the header ${name} holds a line break`);
    record[name] = [value];
  }
  return MsgHdrsImpl.fromRecord(record);
}
