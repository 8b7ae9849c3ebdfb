import type { Client } from "@elastic/elasticsearch";
import type { Clock } from "@orrery/mesh/time/clock";
import { uuidV7 } from "@orrery/mesh/time/clock";
import { statusOf } from "./elastic-calls.ts";
import {
  aliasesOf,
  aliasOf,
  dayOfIndex,
  type IndexNames,
  indexTemplates,
  LAYOUT,
  storeIndex,
} from "./index-templates.ts";

const DOCUMENT = "store";
const NOT_FOUND = 404;
const CONFLICT = 409;
const BAD_REQUEST = 400;
const DAY_MS = 86_400_000;
/** The stream can fill an index again for so long; an older one that is gone was dropped by its retention. */
const REFILLED_MS = 7 * DAY_MS;

interface StoreDocument {
  readonly layout: number;
  readonly generation: string;
  readonly indices: readonly string[];
}
interface Found extends StoreDocument {
  readonly seqNo: number;
  readonly primaryTerm: number;
}

/**
 * The indices of the read model, and the document that says which there have to be. Indices are made by us,
 * never by a write, so that one that somebody deleted is noticed, and the store begins a new generation.
 */
export class ElasticStore {
  readonly #client: Client;
  readonly #names: IndexNames;
  readonly #clock: Clock;
  #known = new Set<string>();

  constructor(client: Client, names: IndexNames, clock: Clock) {
    this.#client = client;
    this.#names = names;
    this.#clock = clock;
  }

  /** The store's generation; makes what is missing. */
  async generation(): Promise<string> {
    const found = await this.#read();
    if (found === undefined) return this.#begin();
    if (found.layout !== LAYOUT) {
      await this.drop();
      return this.#begin();
    }
    const there = await this.#existing();
    const gone = found.indices.filter((index) => !there.has(index));
    if (gone.length === 0) return found.generation;
    this.#known.clear();
    const oldestMs = this.#clock.nowMs() - REFILLED_MS - DAY_MS;
    const refilled = gone.some((index) => (dayOfIndex(index) ?? Infinity) >= oldestMs);
    const next = {
      layout: LAYOUT,
      generation: refilled ? uuidV7(this.#clock) : found.generation,
      indices: found.indices.filter((index) => there.has(index)),
    };
    await this.#write(next, found);
    return (await this.#read())?.generation ?? next.generation;
  }

  /** Makes the indices that are not there yet. Costs nothing for those that this process has seen. */
  async ensure(indices: ReadonlySet<string>): Promise<void> {
    const missing = [...indices].filter((index) => !this.#known.has(index));
    if (missing.length === 0) return;
    for (const index of missing) await this.#make(index);
    for (;;) {
      const found = await this.#read();
      // Somebody took the store away; the next look at the generation begins another.
      if (found === undefined) return;
      const all = new Set([...found.indices, ...missing]);
      if (all.size === found.indices.length) break;
      if (await this.#write({ ...documentOf(found), indices: [...all].sort() }, found)) break;
    }
    for (const index of missing) this.#known.add(index);
  }

  /** Looks again before the next write: an index that was known is gone. */
  forget(): void {
    this.#known.clear();
  }

  /** Deletes every index of the read model. */
  async drop(): Promise<void> {
    const indices = [...(await this.#existing()), this.#names.store];
    for (const index of indices) {
      await this.#client.indices.delete({ index, ignore_unavailable: true });
    }
    this.#known.clear();
  }

  /**
   * Makes an index. It is searched only once it can be: a search that meets one on its way up fails as a
   * whole.
   */
  async #make(index: string): Promise<void> {
    const create = this.#client.indices.create({ index });
    await create.catch(unless(BAD_REQUEST, "resource_already_exists_exception"));
    await this.#client.cluster.health({ index, wait_for_status: "yellow", timeout: "5s" });
    await this.#client.indices.putAlias({ index, name: aliasOf(index) });
  }

  async #begin(): Promise<string> {
    for (const template of indexTemplates(this.#names)) await this.#client.indices.putIndexTemplate(template);
    const create = this.#client.indices.create(storeIndex(this.#names));
    await create.catch(unless(BAD_REQUEST, "resource_already_exists_exception"));
    const document: StoreDocument = {
      layout: LAYOUT,
      generation: uuidV7(this.#clock),
      indices: [...(await this.#existing())],
    };
    const first = this.#client.create({ index: this.#names.store, id: DOCUMENT, document });
    await first.catch(unless(CONFLICT, "version_conflict_engine_exception"));
    return (await this.#read())?.generation ?? document.generation;
  }

  async #read(): Promise<Found | undefined> {
    try {
      const answer = await this.#client.get<StoreDocument>({ index: this.#names.store, id: DOCUMENT });
      const { _source, _seq_no: seqNo = 0, _primary_term: primaryTerm = 0 } = answer;
      return _source === undefined ? undefined : { ..._source, seqNo, primaryTerm };
    } catch (error) {
      if (statusOf(error) === NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** @returns whether nobody else had written in between */
  async #write(document: StoreDocument, found: Found): Promise<boolean> {
    const { seqNo: if_seq_no, primaryTerm: if_primary_term } = found;
    try {
      await this.#client.index({
        index: this.#names.store,
        id: DOCUMENT,
        if_seq_no,
        if_primary_term,
        document,
      });
      return true;
    } catch (error) {
      if (statusOf(error) === CONFLICT) return false;
      throw error;
    }
  }

  async #existing(): Promise<ReadonlySet<string>> {
    try {
      const answer = await this.#client.indices.getAlias({ name: [...aliasesOf(this.#names)] });
      return new Set(Object.keys(answer));
    } catch (error) {
      if (statusOf(error) !== NOT_FOUND) throw error;
      // One alias that is absent is a 404 for all, and its body says what the others have.
      const body: unknown = error instanceof Error && "body" in error ? error.body : {};
      const entries = Object.entries(body ?? {}).filter(
        ([, value]) => typeof value === "object" && value !== null,
      );
      return new Set(entries.filter(([, value]) => "aliases" in (value as object)).map(([index]) => index));
    }
  }
}

function documentOf({ layout, generation, indices }: Found): StoreDocument {
  return { layout, generation, indices };
}

function unless(status: number, type: string): (error: unknown) => void {
  return (error) => {
    if (statusOf(error) === status && error instanceof Error && error.message.includes(type)) return;
    throw error;
  };
}
