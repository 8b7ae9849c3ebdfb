// W1: a resume leaves nothing out: it reads the store from 5 seconds before the last frame until the store
// holds everything from before the live subscription, and only then goes over to live events.
// W2: within one connection no event is sent twice.
// W3: a client that reads too slowly never grows memory: its live events are dropped and it goes back to the
// store.
import { Fault } from "@orrery/mesh/fault/fault";
import { STREAM_MAX_AGE_MS } from "@orrery/mesh/messaging/streams";
import { type Chance, type Clock, systemChance } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import { fits } from "../domain/query/evaluate.ts";
import type { Filter } from "../domain/query/filter.ts";
import { lowestUuidAt, timeOfUuid } from "../domain/uuid-time.ts";
import { EventBuffer } from "./event-buffer.ts";
import type { FreshnessGauge } from "./freshness.ts";
import type { EventSearch, LiveEvent, LiveEvents, ReadModel, StoredEvent, WatchedEvent } from "./ports.ts";
import { filterOf } from "./query-filter.ts";

/** What somebody wants to watch. */
export interface WatchRequest {
  readonly project: string;
  readonly q: string;
  /** Empty: from now on. */
  readonly lastEventId: string;
  readonly signal: AbortSignal;
}

/** What a watch sends: an event, or the word that the gap is too old and the client has to read anew. */
export type WatchFrame = WatchedEvent | "reset";

/** Events reach the store in the order of their ids to within this much. */
const OVERLAP_MS = 5_000;
const PAGE = 500;
const CATCH_UP_PAUSE_MS = 200;
const SUBSCRIBE_PAUSE_MS = 500;
const WATCH_LIMIT = 1_000;

interface Deps {
  readonly readModel: ReadModel;
  readonly live: LiveEvents;
  readonly freshness: FreshnessGauge;
  readonly clock: Clock;
  readonly chance?: Chance;
}

/**
 * Streams the events of a project that fit a query, live within half a second, until the signal ends it.
 *
 * @throws Fault before the first frame: `INVALID_QUERY` · `OVERLOADED` when this process has 1,000 watches
 * already
 */
export function watchEvents(deps: Deps): (request: WatchRequest) => AsyncIterable<WatchFrame> {
  let open = 0;
  const counted = async function* (request: WatchRequest, filter: Filter): AsyncGenerator<WatchFrame> {
    open++;
    try {
      yield* framesOf(deps, request, filter);
    } finally {
      open--;
    }
  };
  return (request) => {
    const filter = filterOf(request.q, "events", deps.clock.nowMs());
    if (open < WATCH_LIMIT) return counted(request, filter);
    const detail = `${WATCH_LIMIT} watches are open here already.`;
    throw new Fault("OVERLOADED", { detail, retryAfterMs: 5_000 });
  };
}

async function* framesOf(deps: Deps, request: WatchRequest, filter: Filter): AsyncGenerator<WatchFrame> {
  const { signal } = request;
  const beganMs = deps.clock.nowMs();
  const resumedMs = timeOfUuid(request.lastEventId.toLowerCase());
  const tooOld = resumedMs === undefined || resumedMs < beganMs - STREAM_MAX_AGE_MS;
  if (request.lastEventId !== "" && tooOld) yield "reset";
  const sent = new SentIds();
  // Where the store is read from when there is a gap to fill; undefined as long as there is none.
  let gapFromMs = tooOld ? undefined : resumedMs;
  while (!signal.aborted) {
    using buffer = new EventBuffer(signal);
    using subscription = await subscribed(deps, signal, (event) => {
      if (event === "lost") {
        buffer.overflow();
        return;
      }
      const before = gapFromMs === undefined && event.publishedMs < beganMs;
      if (!before && event.project === request.project && fits(filter, event.keys)) buffer.push(event);
    });
    if (subscription === undefined) return;
    if (gapFromMs !== undefined) {
      const search = { project: request.project, filter, fromMs: gapFromMs, toMs: subscription.sinceMs };
      yield* unsent(sent, fromStore(deps, search, signal));
    }
    yield* unsent(sent, buffer.drain());
    gapFromMs = sent.latestMs ?? beganMs;
    await wait(SUBSCRIBE_PAUSE_MS, signal);
  }
}

/**
 * Subscribes as soon as the broker lets it: a watch outlives a broker that is away. Undefined when the signal
 * ended it.
 */
async function subscribed(
  { live }: Deps,
  signal: AbortSignal,
  listener: (event: LiveEvent | "lost") => void,
): Promise<Awaited<ReturnType<LiveEvents["subscribe"]>> | undefined> {
  while (!signal.aborted) {
    try {
      return await live.subscribe(listener);
    } catch {
      // The adapter has said why; what is missed until then is a gap like any other.
      await wait(SUBSCRIBE_PAUSE_MS, signal);
    }
  }
  return undefined;
}

async function* unsent(sent: SentIds, events: AsyncIterable<WatchedEvent>): AsyncGenerator<WatchedEvent> {
  for await (const event of events) if (sent.add(event.eventId)) yield event;
}

/**
 * The stored events from before `fromMs` on, until the store holds all that was published up to `toMs` (W1).
 */
async function* fromStore(
  deps: Deps,
  search: {
    readonly project: string;
    readonly filter: Filter;
    readonly fromMs: number;
    readonly toMs: number;
  },
  signal: AbortSignal,
): AsyncGenerator<WatchedEvent> {
  let fromMs = search.fromMs;
  while (!signal.aborted) {
    const { asOfMs } = deps.freshness.read();
    let after = lowestUuidAt(fromMs - OVERLAP_MS);
    for (;;) {
      const { project, filter } = search;
      const asked = { project, filter, after, limit: PAGE, yields: true, signal };
      const page = await awaitedPage(deps, asked);
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE || signal.aborted) break;
      after = last.eventId;
    }
    if (asOfMs >= search.toMs) return;
    fromMs = Math.max(fromMs, timeOfUuid(after) ?? 0);
    await wait(CATCH_UP_PAUSE_MS, signal);
  }
}

/**
 * A page of the store, as soon as that has room for the question and can be used: a watch outlives it too. Empty when
 * the signal ended it.
 */
async function awaitedPage(
  { readModel, chance = systemChance }: Deps,
  search: EventSearch & { readonly signal: AbortSignal },
): Promise<readonly StoredEvent[]> {
  while (!search.signal.aborted) {
    try {
      return await readModel.searchEvents(search);
    } catch (failure) {
      if (search.signal.aborted) break;
      if (!(failure instanceof Fault && failure.retryable)) throw failure;
      // All who were refused at once were told the same.
      await wait((failure.retryAfterMs ?? CATCH_UP_PAUSE_MS) * (1 + chance.next()), search.signal);
    }
  }
  return [];
}

/** Remembers what was sent, as far back as a repeat can come from (W2). */
class SentIds {
  static readonly #LIMIT = 50_000;
  readonly #ids = new Set<string>();
  #latestMs: number | undefined;

  get latestMs(): number | undefined {
    return this.#latestMs;
  }

  /** @returns whether the id is new */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    this.#latestMs = Math.max(this.#latestMs ?? 0, timeOfUuid(id) ?? 0);
    if (this.#ids.size > SentIds.#LIMIT) {
      const [oldest] = this.#ids;
      if (oldest !== undefined) this.#ids.delete(oldest);
    }
    return true;
  }
}
