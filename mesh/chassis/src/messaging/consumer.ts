import { type ConsumerMessages, type JsMsg, type NatsConnection, nanos } from "nats";
import { Fault } from "../fault/fault.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type Chance, systemChance } from "../time/clock.ts";
import { wait } from "../time/wait.ts";
import { type ConsumerMetrics, createConsumerMetrics } from "./consumer-metrics.ts";
import { buryDeadLetter } from "./dead-letter.ts";
import { type DurableDeclaration, ensureDurable } from "./durable.ts";
import type { Publisher } from "./publisher.ts";
import { DEAD_LETTERS, ensureStreams } from "./streams.ts";

/** One message of a stream, as a consumer sees it. */
export interface InMessage {
  readonly subject: string;
  /** The first value of a header, exactly as it is written, or undefined. */
  header(name: string): string | undefined;
  /** The body as UTF-8 text. */
  text(): string;
  readonly streamSequence: number;
  /** How often it was delivered, this time included: 1 at the first. */
  readonly deliveries: number;
  /** When the stream stored it, in milliseconds since the epoch. */
  readonly publishedAtMs: number;
}

/**
 * What is to become of a message: it is dealt with; deliver it again later; give it up, for this reason.
 *
 * "retry" is for what may go better by itself. Its tries are counted, and after `maxDeliver` it is given up.
 */
export type Verdict = "done" | "retry" | { readonly deadLetter: string };

/** What a consumer is made of. */
export interface ConsumerOptions {
  /** What `connectNats` returns. */
  readonly nc: NatsConnection | Promise<NatsConnection>;
  readonly stream: string;
  /** The name under which the broker remembers how far this consumer is; shared by its replicas. */
  readonly durable: string;
  /** Only these subjects; a broker before 2.10 takes one at most. @default all of the stream */
  readonly filterSubjects?: readonly string[];
  /** Deliveries after which a message is given up, 1 or more. @default 10 */
  readonly maxDeliver?: number;
  /** Milliseconds after which the broker delivers again what a replica that died had. @default 30_000 */
  readonly ackWaitMs?: number;
  /** Milliseconds before the second, third, … delivery; the last counts for all that follow. */
  readonly backoffMs?: readonly number[];
  /** The most messages of one call of `handle`. @default 500 */
  readonly batch?: number;
  /** Calls of `handle` at once. @default 2 */
  readonly maxInFlightBatches?: number;
  /**
   * Deals with messages, in the order of the stream within one call, and commits before it returns.
   *
   * When it throws a retryable Fault, a dependency is away: the same batch is held and tried again until it
   * succeeds, without counting. When it throws anything else, each message is tried alone, and only those
   * that throw alone count as "retry". Deliveries repeat: it has to be idempotent.
   *
   * @returns one verdict for each message, in order
   */
  handle(messages: readonly InMessage[]): Promise<readonly Verdict[]>;
  /** Publishes the messages that were given up. */
  readonly deadLetters: Publisher;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Ends the consumer, like `stop`. */
  readonly signal: AbortSignal;
  readonly chance?: Chance;
}

/** A consumer at work. */
export interface Consumer {
  /** Ends the calls under way, at most 10 s long, gives back what was not begun, and resolves. */
  stop(): Promise<void>;
  /** Messages of the stream that are not dealt with yet, or Infinity while the broker does not tell. */
  lag(): number;
}

const MAX_DELIVER = 10;
const ACK_WAIT_MS = 30_000;
const BACKOFF_MS = [250, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000] as const;
const BATCH = 500;
const IN_FLIGHT_BATCHES = 2;
/** While there is a lot to do, a batch waits so long for what is on its way to it. One message alone never waits. */
const GATHER_MS = 10;
/** So many messages in one batch are a lot. */
const BUSY_BATCH = 10;
const LOOK_MS = 1_000;
const PULL_MS = 5_000;
/** A batch that is not done by then is left to the next replica. */
const STOP_WITHIN_MS = 10_000;
const RETRY_BASE_MS = 200;
const RETRY_LIMIT_MS = 5_000;

/**
 * Consumes a stream in batches, as one of any number of replicas, for ever.
 *
 * C1: a message is acknowledged only after `handle` has returned, so one that a dead replica had comes again.
 * C2: a message that cannot be dealt with ends in the dead letters, with where it came from, and no other
 * waits for it. C3: a broker that lost its store costs nothing but time: the durable is made again and begins
 * at the first message.
 *
 * A message takes 10 µs of CPU beside what `handle` does (54,000 in a second on two virtual cores).
 *
 * The broker's user needs to publish to `$JS.API.CONSUMER.{INFO,DELETE}.<stream>.<durable>`,
 * `$JS.API.CONSUMER.{CREATE,DURABLE.CREATE}.<stream>.<durable>` (CREATE with `.>` behind it as well, where it
 * filters), `$JS.API.CONSUMER.MSG.NEXT.<stream>.<durable>`, `$JS.API.STREAM.INFO.<stream>`,
 * `$JS.ACK.<stream>.<durable>.>`, `$JS.API.STREAM.{INFO,CREATE,UPDATE}.ORRERY_DEAD_LETTERS` and
 * `orrery.dead_letters.<stream>.<durable>`, and to receive on its inbox.
 */
export function startConsumer(options: ConsumerOptions): Consumer {
  const consumer = new DurableConsumer(options);
  consumer.begin();
  return consumer;
}

class DurableConsumer implements Consumer {
  readonly #options: ConsumerOptions;
  readonly #batch: number;
  readonly #lanes: number;
  readonly #maxDeliver: number;
  readonly #ackWaitMs: number;
  readonly #stopping = new AbortController();
  /** Received and not begun. */
  readonly #waiting: JsMsg[] = [];
  /** Received and not answered. */
  readonly #held = new Set<JsMsg>();
  readonly #running = new Set<Promise<void>>();
  readonly #metrics: ConsumerMetrics;
  /** When the durable was made that the messages in hand came from. */
  #created = "";
  #lastBatch = 0;
  #gathering = false;
  #ended: Promise<void> = Promise.resolve();
  #lag = Number.POSITIVE_INFINITY;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#batch = options.batch ?? BATCH;
    this.#lanes = options.maxInFlightBatches ?? IN_FLIGHT_BATCHES;
    this.#maxDeliver = options.maxDeliver ?? MAX_DELIVER;
    this.#ackWaitMs = options.ackWaitMs ?? ACK_WAIT_MS;
    this.#metrics = createConsumerMetrics(options.metrics, options.durable);
  }

  begin(): void {
    const stop = (): void => this.#stopping.abort();
    if (this.#options.signal.aborted) stop();
    this.#options.signal.addEventListener("abort", stop, { once: true });
    this.#ended = this.#run();
  }

  lag(): number {
    return this.#lag;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#metrics.forgetLag();
    await this.#ended;
  }

  /** What the calls of `handle` take at once; four times as much may be here without an answer. */
  get #inHand(): number {
    return this.#batch * this.#lanes;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    const { logger, stream, durable } = this.#options;
    const nats = await this.#connected();
    if (nats === undefined) return;
    const keeping = this.#keepHeld();
    for (let trouble = 0; !this.#stopped; trouble += 1) {
      try {
        const messages = await this.#open(nats);
        trouble = 0;
        await this.#consume(nats, messages);
      } catch (failure) {
        this.#sawLag(Number.POSITIVE_INFINITY);
        // At its begin, and then from time to time: a broker that is away stays away for many tries.
        if (trouble % 30 === 0)
          logger.warn("the stream is not consumed", { stream, consumer: durable, error: failure });
        await wait(RETRY_BASE_MS + RETRY_BASE_MS * this.#chance(), this.#stopping.signal);
      }
    }
    const late = new AbortController();
    await Promise.race([Promise.all(this.#running), wait(STOP_WITHIN_MS, late.signal)]);
    late.abort();
    if (!nats.isClosed()) {
      for (const message of this.#held) message.nak();
      await nats.flush().catch(() => undefined);
    }
    await keeping;
  }

  /** The connection, unless the consumer is stopped before there is one. */
  async #connected(): Promise<NatsConnection | undefined> {
    const stopped = wait(2 ** 31 - 1, this.#stopping.signal).then(() => undefined);
    try {
      return await Promise.race([this.#options.nc, stopped]);
    } catch (failure) {
      this.#options.logger.error("the consumer has no connection", { error: failure });
      return undefined;
    }
  }

  async #open(nats: NatsConnection): Promise<ConsumerMessages> {
    const { stream, durable } = this.#options;
    const { created } = await ensureDurable(nats, this.#declaration());
    // C3: an acknowledgement of a message of the lost stream would count for the new one with its number.
    if (created !== this.#created) {
      this.#held.clear();
      this.#waiting.length = 0;
    }
    this.#created = created;
    const consumer = await nats.jetstream().consumers.get(stream, durable);
    return consumer.consume({
      max_messages: this.#inHand,
      expires: PULL_MS,
      abort_on_missing_resource: true,
      // What it may deliver without an answer is bounded at the broker; to iterate would cost two promises a message.
      callback: (message) => this.#receive(message),
    });
  }

  #declaration(): DurableDeclaration {
    const { stream, durable, filterSubjects = [] } = this.#options;
    const limits = { ackWaitNs: nanos(this.#ackWaitMs), maxDeliver: this.#maxDeliver };
    return { stream, durable, filterSubjects, ...limits, maxAckPending: this.#inHand * 4 };
  }

  async #consume(nats: NatsConnection, messages: ConsumerMessages): Promise<void> {
    const over = new AbortController();
    const stop = (): void => messages.stop();
    this.#stopping.signal.addEventListener("abort", stop, { once: true });
    if (this.#stopped) stop();
    const looking = this.#look(nats, messages, over.signal);
    void this.#makeDeadLetters(nats);
    try {
      const failure = await messages.closed();
      if (failure instanceof Error) throw failure;
    } finally {
      over.abort();
      this.#stopping.signal.removeEventListener("abort", stop);
      messages.stop();
      await looking;
    }
  }

  #receive(message: JsMsg): void {
    this.#held.add(message);
    this.#waiting.push(message);
    if (this.#waiting.length === 1) this.#startSoon();
    else if (this.#waiting.length === this.#batch) setImmediate(() => this.#startBatches());
  }

  #startSoon(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    const start = (): void => {
      this.#gathering = false;
      this.#startBatches();
    };
    if (this.#lastBatch < BUSY_BATCH) setImmediate(start);
    else setTimeout(start, GATHER_MS);
  }

  /** A second batch begins beside the first only when it is full: what is under way gathers the next one. */
  #startBatches(): void {
    while (this.#waiting.length > 0 && this.#running.size < this.#lanes && !this.#stopped) {
      if (this.#running.size > 0 && this.#waiting.length < this.#batch) break;
      const batch = this.#waiting.splice(0, this.#batch);
      this.#lastBatch = batch.length;
      const run: Promise<void> = this.#deal(batch)
        .catch((failure: unknown) =>
          this.#options.logger.warn("a batch was not answered", { error: failure }),
        )
        .finally(() => {
          this.#running.delete(run);
          if (this.#waiting.length >= this.#batch) this.#startBatches();
          else this.#startSoon();
        });
      this.#running.add(run);
    }
  }

  /**
   * Deals with one batch to its end. Rejects only when the connection is closed: then all of it comes again.
   */
  async #deal(batch: readonly JsMsg[]): Promise<void> {
    const verdicts = await this.#verdicts(batch.map((message) => new BrokerMessage(message)));
    if (verdicts === undefined) return;
    const others: Promise<void>[] = [];
    batch.forEach((message, index) => {
      const verdict = verdicts[index] ?? "retry";
      if (verdict !== "done") others.push(this.#answer(message, verdict));
      // No promise for each of what is mostly all of it.
      else if (this.#held.delete(message)) message.ack();
    });
    await Promise.all(others);
    const [last] = batch.slice(-1);
    if (last !== undefined) this.#sawLag(last.info.pending + this.#held.size);
  }

  /**
   * What `handle` says, after as many tries as its dependencies need; nothing when the consumer stops first.
   */
  async #verdicts(messages: readonly InMessage[]): Promise<readonly Verdict[] | undefined> {
    const { durable, logger } = this.#options;
    for (let attempt = 1; !this.#stopped; attempt += 1) {
      try {
        return await this.#options.handle(messages);
      } catch (failure) {
        if (!isPassing(failure)) return this.#oneByOne(messages, failure);
        if (attempt % 10 === 1) logger.warn("a batch is held", { consumer: durable, error: failure });
      }
      const limitMs = Math.min(RETRY_LIMIT_MS, RETRY_BASE_MS * 2 ** Math.min(attempt, 10));
      await wait(limitMs * this.#chance(), this.#stopping.signal);
    }
    return undefined;
  }

  /** C2: finds the messages that `handle` cannot take, so that the others need not wait for them. */
  async #oneByOne(messages: readonly InMessage[], failure: unknown): Promise<readonly Verdict[] | undefined> {
    const { durable, logger } = this.#options;
    const [first] = messages;
    if (messages.length === 1) {
      const sequence = first?.streamSequence;
      logger.error("a message was not dealt with", { consumer: durable, sequence, error: failure });
      return ["retry"];
    }
    const about = { consumer: durable, error: failure };
    logger.error("a batch was not dealt with; each message is tried alone", about);
    const verdicts: Verdict[] = [];
    for (const message of messages) {
      const alone = await this.#verdicts([message]);
      if (alone === undefined) return undefined;
      verdicts.push(alone[0] ?? "retry");
    }
    return verdicts;
  }

  async #answer(message: JsMsg, verdict: Exclude<Verdict, "done">): Promise<void> {
    const { deliveryCount: deliveries } = message.info;
    if (!this.#held.has(message)) return;
    if (verdict !== "retry") await this.#giveUp(message, verdict.deadLetter);
    else if (deliveries >= this.#maxDeliver)
      await this.#giveUp(message, `${deliveries} deliveries without success`);
    else message.nak(this.#backoffMs(deliveries));
    this.#held.delete(message);
  }

  async #giveUp(message: JsMsg, reason: string): Promise<void> {
    const { deadLetters, durable, logger, stream } = this.#options;
    const refusal = await buryDeadLetter(deadLetters, message, { stream, durable, reason });
    if (refusal === undefined) {
      this.#metrics.countDeadLetter();
      logger.error("a message was given up", { consumer: durable, sequence: message.seq, reason });
      message.term(reason);
      return;
    }
    // It stays in the stream and comes again: it is never dropped because the dead letters cannot take it.
    logger.error("a dead letter was not taken", {
      consumer: durable,
      sequence: message.seq,
      reason: refusal,
    });
    message.nak(this.#backoffMs(message.info.deliveryCount));
  }

  #backoffMs(deliveries: number): number {
    const list = this.#options.backoffMs ?? BACKOFF_MS;
    return Math.round((list[deliveries - 1] ?? list.at(-1) ?? 1_000) * (0.75 + this.#chance() / 4));
  }

  /** Asks the broker how far the consumer is, and ends the consumption when it has become another one. */
  async #look(nats: NatsConnection, messages: ConsumerMessages, over: AbortSignal): Promise<void> {
    const { durable, logger } = this.#options;
    while (!over.aborted) {
      try {
        const { created, num_pending, num_ack_pending } = await ensureDurable(nats, this.#declaration());
        this.#sawLag(num_pending + num_ack_pending);
        // C3: gone with the broker's store, or by somebody's hand.
        if (created !== this.#created) messages.stop();
      } catch (failure) {
        this.#sawLag(Number.POSITIVE_INFINITY);
        logger.debug("the consumer's state is not known", { consumer: durable, error: failure });
      }
      await wait(LOOK_MS, over);
    }
  }

  /**
   * Has the stream of dead letters there before the first of them, for whoever reads it. Nothing waits for it: the
   * first letter asks for it again.
   */
  async #makeDeadLetters(nats: NatsConnection): Promise<void> {
    try {
      await ensureStreams(nats, [DEAD_LETTERS]);
    } catch (failure) {
      if (!this.#stopped)
        this.#options.logger.warn("there is no stream for dead letters yet", { error: failure });
    }
  }

  /**
   * Tells the broker that what is in hand is still worked on, so that it is not delivered to another replica.
   */
  async #keepHeld(): Promise<void> {
    while (!this.#stopped) {
      await wait(this.#ackWaitMs / 3, this.#stopping.signal);
      for (const message of this.#held) message.working();
    }
  }

  #sawLag(lag: number): void {
    this.#lag = lag;
    if (Number.isFinite(lag) && !this.#stopped) this.#metrics.showLag(lag);
  }

  #chance(): number {
    return (this.#options.chance ?? systemChance).next();
  }
}

/** What is in the reply subject is read only where somebody asks: most handlers want the text alone. */
class BrokerMessage implements InMessage {
  readonly #message: JsMsg;

  constructor(message: JsMsg) {
    this.#message = message;
  }

  get subject(): string {
    return this.#message.subject;
  }

  header(name: string): string | undefined {
    return this.#message.headers?.get(name) || undefined;
  }

  text(): string {
    return this.#message.string();
  }

  get streamSequence(): number {
    return this.#message.info.streamSequence;
  }

  get deliveries(): number {
    return this.#message.info.deliveryCount;
  }

  get publishedAtMs(): number {
    return Math.floor(this.#message.info.timestampNanos / 1_000_000);
  }
}

/** Whether a failure passes by itself: a dependency that is away, or too busy. */
function isPassing(failure: unknown): boolean {
  return failure instanceof Fault && failure.retryable;
}
