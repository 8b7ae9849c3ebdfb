import type { Counter } from "prom-client";
import type { Publisher, PublishOutcome } from "../messaging/publisher.ts";
import { eventStreamName, STREAM_MAX_AGE_MS } from "../messaging/streams.ts";
import { subscribeWake } from "../messaging/wake.ts";
import type { Pool } from "../postgres/pool.ts";
import { ATTR, METRIC } from "../telemetry/attributes.ts";
import { isTraced, openItemSpan } from "../telemetry/item-span.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type Chance, type Clock, uuidV7 } from "../time/clock.ts";
import { wait } from "../time/wait.ts";
import { eventMessage } from "./event-message.ts";
import { type RenderEvents, renderAsStored } from "./outbox.ts";
import {
  BATCH_EVENTS,
  COUNT_PENDING,
  COUNT_RETRIES,
  KEEP_PARTITIONS,
  type PendingEvent,
  READ_PENDING,
  SETTLE_PENDING,
} from "./relay-statements.ts";
import { RelayTerm } from "./relay-term.ts";
import { StreamWatch } from "./stream-watch.ts";

/** What a relay is made of. */
export interface RelayOptions {
  /** Two connections are enough; keep them apart from those of the hot paths. */
  readonly pool: Pool;
  readonly publisher: Publisher;
  /** Makes the envelopes of stored events. @default the stored text is the envelope */
  readonly render?: RenderEvents;
  /** The service whose outbox this is, and the source of its events: they go to the stream `ORRERY_<SERVICE>`. */
  readonly service: string;
  /** The replica; no two that run at once have the same. */
  readonly instance: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Seconds that another replica waits after the holder's last sign of life, 1 or more. @default 5 */
  readonly termSeconds?: number;
  /** How often it looks for what nobody told it of, in milliseconds. @default 1000 */
  readonly pollMs?: number;
}

/** A relay at work. */
export interface Relay {
  /**
   * Says that something was committed: call it after each commit that wrote events. A replica that does not publish
   * tells the one that does, over `orrery.wake.<service>.outbox`, fifty times a second at most.
   */
  wake(): void;
  /**
   * Finishes the batches under way, gives the term back, and resolves. Call it when nothing is committed any more: what
   * is committed after it waits for another replica, or the next start.
   */
  stop(): Promise<void>;
  /** Whether this replica is the one that publishes. */
  isLeader(): boolean;
}

/** What became of a batch. */
interface Published {
  /** Of aggregates that are gone. */
  readonly gone: readonly PendingEvent[];
  readonly sent: readonly PendingEvent[];
  /** One for each that was sent. */
  readonly outcomes: readonly PublishOutcome[];
  /** The stream's highest sequence before. */
  readonly floor: number;
}

const TERM_SECONDS = 5;
const LANES = 2;
const ACK_TIMEOUT_MS = 5_000;
/** What was committed by a process that ended before it could say so, or was not heard, is found by looking. */
const POLL_MS = 1_000;
/** How often it looks whether the broker is back. */
const BROKER_POLL_MS = 100;
/**
 * Two passes over a short queue are this far apart, so that a busy service pays for batches and not for single events:
 * a pass costs three queries here and a transaction in every consumer. One event alone hardly waits.
 */
const PASS_SPACING_MS = 20;
const BUSY_PASS_SPACING_MS = 60;
/** So many events in one pass are a busy service: from 400 a second on, until below 160. */
const BUSY_PASS_EVENTS = 10;
const CHECK_STREAM_MS = 5_000;
const COUNT_MS = 2_000;
const PARTITIONS_MS = 600_000;
const DAYS_AHEAD = 7;
/** A day more than the stream's age. */
const KEEP_DAYS = STREAM_MAX_AGE_MS / 86_400_000 + 1;
const HOLD_BACK_MS = 2_000;
/** More aggregates than this refused in one batch is no fault of theirs. */
const MANY_REFUSED = 50;
const TROUBLE_BASE_MS = 100;
const TROUBLE_LIMIT_MS = 2_000;

/**
 * Publishes what the outbox holds, for ever: one relay of a service at a time, whoever holds the term.
 *
 * O1: the versions of an aggregate are published in order; after a failure it starts again from the lowest
 * that was not acknowledged. O2: the note of an event goes only after the broker acknowledged it, or when the
 * event is gone itself; a duplicate is an acknowledgement. O3: a relay without the term takes no note away, and
 * publishes nothing once it knows. O4: a stream that lost something gets it again, within seconds of the
 * broker's return, without anybody asking.
 *
 * Two batches of 500 are under way at once, the second read while the first is published. Measured with
 * events of 1.1 kB on two virtual cores shared with PostgreSQL 18.4, nats-server 2.12 and other work: 11,000
 * to 14,500 events in a second, for 23 to 29 µs of this process's CPU each.
 *
 * The broker's user needs to publish to the events' subjects and to
 * `$JS.API.STREAM.{INFO,CREATE,UPDATE}.<stream>`, to receive on its inbox, and to do both on
 * `orrery.wake.<service>.outbox`.
 */
export function startRelay(options: RelayOptions): Relay {
  const relay = new OutboxRelay(options);
  relay.begin();
  return relay;
}

class OutboxRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #term: RelayTerm;
  readonly #termMs: number;
  readonly #watch: StreamWatch;
  readonly #stopping = new AbortController();
  readonly #inFlight = new Set<number>();
  /** Aggregates of which a version was refused in this pass. */
  readonly #refused = new Set<string>();
  /** Aggregates whose lowest pending version was refused, until when they are left alone. */
  readonly #heldBack = new Map<string, number>();
  readonly #published: Counter;
  readonly #duplicates: Counter;
  readonly #wakeSubject: string;
  #ended: Promise<unknown> = Promise.resolve();
  #wakeUp: () => void = () => undefined;
  #awake = true;
  #ringing = false;
  #troubles = 0;
  #checkDueMs = 0;
  #partitionsDueMs = 0;
  #checkedConnections = 0;

  constructor(options: RelayOptions) {
    const { pool, publisher, service, instance, clock, logger, metrics } = options;
    this.#options = options;
    this.#termMs = (options.termSeconds ?? TERM_SECONDS) * 1_000;
    const holder = `${instance}/${uuidV7(clock)}`;
    this.#term = new RelayTerm({ pool, clock, instance, holder, termMs: this.#termMs });
    this.#wakeSubject = `orrery.wake.${service}.outbox`;
    const stream = eventStreamName(service);
    this.#watch = new StreamWatch({ pool, publisher, stream, term: this.#term, clock, logger });
    this.#published = metrics.counter(METRIC.OUTBOX_PUBLISHED, "Events that the broker acknowledged.");
    this.#duplicates = metrics.counter(
      METRIC.OUTBOX_DUPLICATES,
      "Events that the broker had already: published twice, stored once.",
    );
  }

  begin(): void {
    const deaf = subscribeWake(this.#options.publisher.connection, this.#wakeSubject, () => this.#look());
    this.#stopping.signal.addEventListener("abort", deaf, { once: true });
    this.#ended = Promise.all([this.#run(), this.#countPending()]);
  }

  wake(): void {
    this.#look();
    if (this.#term.isHeld() || this.#ringing) return;
    this.#ringing = true;
    const ring = (): void => {
      this.#ringing = false;
      if (this.#running) this.#options.publisher.wake(this.#wakeSubject);
    };
    setTimeout(ring, PASS_SPACING_MS).unref();
  }

  #look(): void {
    this.#awake = true;
    this.#wakeUp();
  }

  isLeader(): boolean {
    return this.#term.isHeld();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  get #running(): boolean {
    return !this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      try {
        if (await this.#term.acquire()) await this.#lead();
      } catch (failure) {
        await this.#trouble("the relay was interrupted", failure);
      }
      await wait(this.#jittered(this.#termMs / 5), this.#stopping.signal);
    }
  }

  /** Publishes until the term or the relay ends. */
  async #lead(): Promise<void> {
    const { logger } = this.#options;
    logger.info("this replica publishes the outbox", { term: this.#term.number });
    this.#checkDueMs = 0;
    const done = new AbortController();
    const renewing = this.#renew(done.signal);
    try {
      while (this.#running && this.#term.isHeld()) await this.#turn();
    } finally {
      done.abort();
      await renewing;
      if (this.#running) logger.warn("this replica does not publish the outbox any more");
      // The term ends by itself where the database cannot be told.
      else await this.#term.release().catch(() => undefined);
    }
  }

  async #turn(): Promise<void> {
    const { publisher } = this.#options;
    try {
      await this.#keepPartitions();
      if (!publisher.isConnected()) {
        await wait(BROKER_POLL_MS, this.#stopping.signal);
        return;
      }
      await this.#checkStream();
      const events = await this.#pass();
      this.#troubles = 0;
      await this.#rest(events);
    } catch (failure) {
      await this.#trouble("the outbox was not published", failure);
    }
  }

  async #renew(done: AbortSignal): Promise<void> {
    while (!done.aborted) {
      await wait(this.#termMs / 4, done);
      if (done.aborted) return;
      try {
        await this.#term.renew();
      } catch (failure) {
        // It is held until its end; the next try may come in time.
        this.#options.logger.warn("the relay's term was not renewed", { error: failure });
      }
    }
  }

  /** Publishes until a batch is not full. @returns how many events that were */
  async #pass(): Promise<number> {
    const lanes = new Set<Promise<void>>();
    let before: Promise<void> = Promise.resolve();
    let events = 0;
    let failure: unknown;
    this.#refused.clear();
    // Here only, with nothing under way: a row that waits for its batch may hold a version that was not sent.
    const nowMs = this.#options.clock.monotonicMs();
    for (const [aggregate, untilMs] of this.#heldBack) if (untilMs <= nowMs) this.#heldBack.delete(aggregate);
    try {
      while (failure === undefined && this.#mayPublish()) {
        this.#awake = false;
        const batch = await this.#read();
        if (batch.length === 0) break;
        events += batch.length;
        const lane: Promise<void> = this.#publish(batch, before)
          .catch((reason: unknown) => {
            failure ??= reason;
          })
          .finally(() => lanes.delete(lane));
        lanes.add(lane);
        before = lane;
        if (batch.length < BATCH_EVENTS) break;
        if (lanes.size === LANES) await Promise.race(lanes);
      }
    } finally {
      // O1: nothing is under way when the next pass begins, not even after a batch that could not be read.
      await Promise.all(lanes);
    }
    if (failure !== undefined) throw failure;
    return events;
  }

  #mayPublish(): boolean {
    const { clock, publisher } = this.#options;
    const sameBroker = publisher.isConnected() && publisher.connections() === this.#checkedConnections;
    return this.#running && this.#term.isHeld() && sameBroker && clock.monotonicMs() < this.#checkDueMs;
  }

  async #read(): Promise<PendingEvent[]> {
    const underWay = [...this.#inFlight];
    // Where none is under way every row is above the highest of them; `seq` may be below 0.
    const highest = underWay.length === 0 ? Number.MIN_SAFE_INTEGER : Math.max(...underWay);
    const values = [underWay, [...this.#heldBack.keys()], highest];
    return this.#options.pool.query<PendingEvent>(READ_PENDING, values);
  }

  async #publish(events: readonly PendingEvent[], before: Promise<void>): Promise<void> {
    const { publisher, service, render = renderAsStored } = this.#options;
    for (const { seq } of events) this.#inFlight.add(seq);
    try {
      const due = events.filter(({ aggregateId }) => !this.#heldBack.has(aggregateId));
      const kept = due.filter((event) => event.kept);
      const rendered = await render(kept);
      const told = kept.flatMap((event, index) => {
        const made = rendered[index];
        if (made === undefined) return [];
        const span = openPublishSpan(event, made.traceparent);
        const traceparent = span?.traceparent ?? made.traceparent;
        return [{ event, span, message: eventMessage(event, { ...made, traceparent }, service) }];
      });
      const floor = this.#watch.highest;
      const messages = told.map(({ message }) => message);
      const outcomes = await publisher.publishAll(messages, { ackTimeoutMs: ACK_TIMEOUT_MS });
      for (const [index, { span }] of told.entries())
        span?.end({ failed: outcomes[index]?.status === "failed" });
      // O1: whether an event may go depends on what became of the batch before.
      await before;
      const sent = told.map(({ event }) => event);
      const reached = new Set(sent);
      const gone = due.filter((event) => !reached.has(event));
      if (gone.length > 0) this.#tellOfGone(gone);
      await this.#settle(events, { gone, sent, outcomes, floor });
    } finally {
      for (const { seq } of events) this.#inFlight.delete(seq);
    }
  }

  async #settle(events: readonly PendingEvent[], { gone, sent, outcomes, floor }: Published): Promise<void> {
    const done = new Set(gone);
    const refused: PendingEvent[] = [];
    let duplicates = 0;
    let reason = "";
    sent.forEach((event, index) => {
      const outcome = outcomes[index] ?? { status: "failed", reason: "no outcome" };
      if (outcome.status === "ok" && !this.#watch.stored(outcome.sequence, floor)) this.#checkDueMs = 0;
      // O1: behind a version that failed, later ones of the same aggregate stay pending, to be sent again
      // after it.
      if (this.#refused.has(event.aggregateId)) return;
      if (outcome.status === "failed") {
        reason ||= outcome.reason;
        refused.push(event);
        this.#refused.add(event.aggregateId);
        return;
      }
      done.add(event);
      if (outcome.status === "duplicate") duplicates += 1;
    });
    await this.#letGo(events, done);
    this.#published.inc(done.size - gone.length);
    this.#duplicates.inc(duplicates);
    if (refused.length === 0) return;
    this.#checkDueMs = 0;
    await this.#holdBack(refused);
    throw new Error(`${refused.length} of ${sent.length} events were not acknowledged: ${reason}`);
  }

  /** Says so as an error: nothing is left that could be told of them, now or later. */
  #tellOfGone(gone: readonly PendingEvent[]): void {
    const [first] = gone;
    const event = first === undefined ? "" : `${first.aggregateId}:${first.version}`;
    this.#options.logger.error("events of aggregates that are gone are not published", {
      events: gone.length,
      event,
    });
  }

  /**
   * Takes what is done out of the rows of a batch. O3: without the term nothing goes, and the relay learns that it has
   * lost it.
   */
  async #letGo(events: readonly PendingEvent[], done: ReadonlySet<PendingEvent>): Promise<void> {
    if (done.size === 0) return;
    const waiting = new Set(events.filter((event) => !done.has(event)).map(({ seq }) => seq));
    const whole = [...done].filter(({ seq }) => !waiting.has(seq));
    const single = [...done].filter(({ seq }) => waiting.has(seq));
    const values = [
      [...new Set(whole.map(({ seq }) => seq))],
      this.#term.holder,
      this.#term.number,
      single.map(({ seq }) => seq),
      single.map(({ aggregateId }) => aggregateId),
      single.map(({ version }) => version),
    ];
    const [fence] = await this.#options.pool.query<{ held: boolean }>(SETTLE_PENDING, values);
    if (fence?.held === true) return;
    this.#term.lose();
    throw new Error("another replica holds the term");
  }

  async #holdBack(refused: readonly PendingEvent[]): Promise<void> {
    const { clock, pool, publisher } = this.#options;
    if (!publisher.isConnected()) return;
    await pool.query(COUNT_RETRIES, [refused.map(({ seq }) => seq)]);
    // Where all fail it is the broker's trouble and not theirs: the pause that follows is enough.
    if (refused.length > MANY_REFUSED) return;
    const untilMs = clock.monotonicMs() + HOLD_BACK_MS;
    for (const { aggregateId } of refused) this.#heldBack.set(aggregateId, untilMs);
  }

  /** After a new connection, after a failure and from time to time: before anything is published. */
  async #checkStream(): Promise<void> {
    const { clock, publisher } = this.#options;
    const connections = publisher.connections();
    if (connections === this.#checkedConnections && clock.monotonicMs() < this.#checkDueMs) return;
    await this.#watch.check();
    this.#checkedConnections = connections;
    this.#checkDueMs = clock.monotonicMs() + CHECK_STREAM_MS;
  }

  async #keepPartitions(): Promise<void> {
    const { clock, pool, logger } = this.#options;
    if (clock.monotonicMs() < this.#partitionsDueMs) return;
    this.#partitionsDueMs = clock.monotonicMs() + PARTITIONS_MS;
    try {
      await pool.query(KEEP_PARTITIONS, [DAYS_AHEAD, KEEP_DAYS]);
    } catch (failure) {
      // The partitions of a week ahead are there, and the default one behind them.
      logger.warn("the outbox's partitions were not looked after", { error: failure });
    }
  }

  /**
   * Waits for the next commit; after a pass that found something only for the spacing, as there may be more.
   */
  async #rest(events: number): Promise<void> {
    const woken = new AbortController();
    const stop = (): void => woken.abort();
    if (events > 0) {
      await wait(events < BUSY_PASS_EVENTS ? PASS_SPACING_MS : BUSY_PASS_SPACING_MS, this.#stopping.signal);
    }
    if (this.#awake || events > 0 || !this.#running) return;
    this.#wakeUp = stop;
    this.#stopping.signal.addEventListener("abort", stop, { once: true });
    await wait(this.#pauseMs(), woken.signal);
    this.#stopping.signal.removeEventListener("abort", stop);
    this.#wakeUp = () => undefined;
  }

  /** Until it looks again by itself: at once where the broker has to be looked at first, or when a hold ends. */
  #pauseMs(): number {
    if (!this.#mayPublish()) return BROKER_POLL_MS;
    const { clock, pollMs = POLL_MS } = this.#options;
    const nextMs = Math.min(...this.#heldBack.values()) - clock.monotonicMs();
    return Math.min(pollMs, Math.max(PASS_SPACING_MS, nextMs));
  }

  async #trouble(message: string, failure: unknown): Promise<void> {
    this.#troubles += 1;
    // Once at its begin, and then from time to time: the state is in the gauge.
    if (this.#troubles % 30 === 1) this.#options.logger.warn(message, { error: failure });
    const limitMs = Math.min(TROUBLE_LIMIT_MS, TROUBLE_BASE_MS * 2 ** Math.min(this.#troubles, 10));
    await wait(this.#jittered(limitMs), this.#stopping.signal);
  }

  /** The same number on every replica, because the database counts. */
  async #countPending(): Promise<void> {
    const { metrics, pool, logger } = this.#options;
    const waiting = metrics.gauge(METRIC.OUTBOX_PENDING, "Events that the broker has not acknowledged.");
    const oldest = metrics.gauge(
      METRIC.OUTBOX_OLDEST_SECONDS,
      "How long the oldest event that the broker has not acknowledged has waited.",
    );
    while (this.#running) {
      try {
        const [row] = await pool.query<{ pending: number; oldestSeconds: number }>(COUNT_PENDING, []);
        waiting.set(row?.pending ?? 0);
        oldest.set(Math.max(0, row?.oldestSeconds ?? 0));
      } catch (failure) {
        logger.debug("the outbox was not counted", { error: failure });
      }
      await wait(COUNT_MS, this.#stopping.signal);
    }
  }

  #jittered(ms: number): number {
    return ms * (0.5 + this.#options.chance.next() / 2);
  }
}

/** What consumes the event goes on from here. */
function openPublishSpan(
  { eventType, aggregateId }: PendingEvent,
  traceparent: string,
): ReturnType<typeof openItemSpan> {
  if (!isTraced(traceparent)) return undefined;
  const name = eventType.slice(eventType.lastIndexOf(".") + 1);
  const attributes = { [ATTR.AGGREGATE]: aggregateId, [ATTR.EVENT]: name };
  return openItemSpan(traceparent, `publish ${name}`, { kind: "producer", attributes });
}
