import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { openEmbeddedReadModel } from "../../../src/adapters/embedded/embedded-read-model.ts";
import type { EventSearch, Search } from "../../../src/application/ports.ts";
import { NEWEST_FIRST } from "../../../src/domain/list-order.ts";
import { PLATFORM } from "../../../src/domain/projection.ts";
import { EVERYTHING } from "../../../src/domain/query/filter.ts";
import { heldFile } from "../../embedded-factory.ts";
import { projectionOf, searchedJob } from "../../projection-factory.ts";

const SEARCH = {
  kind: "job",
  project: "demo",
  filter: EVERYTHING,
  order: NEWEST_FIRST,
  after: undefined,
  limit: 10,
} as const;
const EVENT_SEARCH = { project: "demo", filter: EVERYTHING, after: "", limit: 10 } as const;

const numbers = (upTo: number) => Array.from({ length: upTo }, (_, index) => index + 1);

/** Says that everything took 40 ms. */
class HurryingClock extends ManualClock {
  override monotonicMs(): number {
    this.advance(40);
    return super.monotonicMs();
  }
}

/** A read model whose thread stands still at a write until it is let go, because the file is held by another. */
async function heldUp(clock = new ManualClock()) {
  const folder = await mkdtemp(join(tmpdir(), "orrery-thread-"));
  const readModel = openEmbeddedReadModel({ folder, clock });
  await readModel.check();
  const held = heldFile(folder);
  const answered: string[] = [];
  const noted = <T>(name: string, answer: Promise<T>) => answer.finally(() => answered.push(name));
  const apply = (number: number) =>
    noted(`apply ${number}`, readModel.apply([projectionOf(searchedJob(number))]));
  const search = (name: string, about: Partial<Search> = {}) =>
    noted(name, readModel.search({ ...SEARCH, ...about }));
  const searchEvents = (name: string, about: Partial<EventSearch> = {}) =>
    noted(name, readModel.searchEvents({ ...EVENT_SEARCH, ...about }));
  return {
    readModel,
    answered,
    apply,
    search,
    searchEvents,
    first: apply(1),
    letGo: held.letGo,
    async [Symbol.asyncDispose]() {
      held[Symbol.dispose]();
      await readModel.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

afterEach(() => {
  jest.useRealTimers();
});

describe("the questions to a store's thread", () => {
  test("Q2: writes go before searches that were asked earlier, each kind in its order", async () => {
    await using world = await heldUp();
    const { answered, apply, search, first } = world;
    const all = [first, search("search 1"), search("search 2"), apply(2), apply(3)];
    world.letGo();
    await Promise.all(all);
    expect(answered).toEqual(["apply 1", "apply 2", "apply 3", "search 1", "search 2"]);
  });

  test("Q2: however many writes wait, searches get half of the time", async () => {
    await using world = await heldUp(new HurryingClock());
    const { answered, apply, search, first } = world;
    const searches = ["search 1", "search 2"].map((name) => search(name));
    const writes = [2, 3, 4, 5, 6, 7, 8, 9, 10].map(apply);
    world.letGo();
    await Promise.all([first, ...searches, ...writes]);
    expect([answered.indexOf("search 1"), answered.indexOf("search 2")]).toEqual([3, 5]);
  });

  test("Q1: what nobody waits for any more is never begun", async () => {
    await using world = await heldUp();
    const gone = new AbortController();
    const { signal } = gone;
    const searches = numbers(99).map((number) => world.search(`search ${number}`, { signal }));
    const summary = world.readModel.summary("demo", signal);
    gone.abort();
    const left = [...searches, summary, world.search("too late", { signal })];
    await Promise.all(left.map((answer) => expect(answer).rejects.toMatchObject({ reason: "CANCELLED" })));
    const next = world.search("the next");
    world.letGo();
    expect(await next).toHaveLength(1);
  });

  test("Q1: a search that nobody waits for any more gives the thread up to the next one", async () => {
    await using world = await heldUp();
    world.letGo();
    await world.first;
    const slow = numbers(60).map((number) => projectionOf(searchedJob(number + 1)));
    const words = ["a ".repeat(200_000)];
    await world.readModel.apply(
      slow.map(({ document }) => ({
        document: { ...document, keys: { ...document.keys, words } },
        event: undefined,
      })),
    );
    const gone = new AbortController();
    const { signal } = gone;
    const filter = { is: "word begins", prefix: `${"a ".repeat(100_000)}b` } as const;
    const left = world.search("as good as endless", { filter, signal });
    gone.abort();
    await expect(left).rejects.toMatchObject({ reason: "CANCELLED" });
    expect(await world.search("the next")).toHaveLength(10);
  }, 30_000);

  test("Q3: a project that asks for much keeps another one waiting for a single read", async () => {
    await using world = await heldUp();
    const { answered, search, first } = world;
    const flood = numbers(90).map((number) => search(`demo ${number}`));
    const others = ["second 1", "second 2"].map((name) => search(name, { project: "second" }));
    const alerts = search("alerts of second", { kind: "alert", project: PLATFORM, asker: "second" });
    world.letGo();
    await Promise.all([first, ...flood, ...others, alerts]);
    const about = ["demo 1", "second 1", "demo 2", "second 2", "demo 3", "alerts of second", "demo 4"];
    expect(answered.slice(1, 8)).toEqual(about);
  });

  test("Q3: what waits is bounded for each project and for all, and reads that yield wait apart", async () => {
    await using world = await heldUp();
    const { search, searchEvents, first } = world;
    const refused = (message: string) => ({ reason: "OVERLOADED", retryAfterMs: 1_000, message });
    const ofProject = refused("100 searches of this project wait here already.");
    const asked = ["demo", "second", "third", "fourth", "fifth"].flatMap((project) =>
      numbers(100).map((number) => search(`${project} ${number}`, { project })),
    );
    await expect(search("demo 101")).rejects.toMatchObject(ofProject);
    await expect(search("sixth", { project: "sixth" })).rejects.toMatchObject(
      refused("500 searches wait here already."),
    );
    const yielding = numbers(100).map((number) => searchEvents(`gap ${number}`, { yields: true }));
    await expect(searchEvents("gap 101", { yields: true })).rejects.toMatchObject(ofProject);
    world.letGo();
    await Promise.all([first, ...asked, ...yielding]);
  });

  test("Q4: reads that yield go after four others, and projects take turns there too", async () => {
    await using world = await heldUp();
    const { answered, search, searchEvents, first } = world;
    const gaps = numbers(3).map((number) => searchEvents(`gap ${number}`, { yields: true }));
    const other = searchEvents("gap of second", { project: "second", yields: true });
    const searches = numbers(5).map((number) => search(`search ${number}`));
    world.letGo();
    await Promise.all([first, ...gaps, other, ...searches]);
    const prompt = ["search 1", "search 2", "search 3", "search 4", "gap 1", "search 5"];
    expect(answered).toEqual(["apply 1", ...prompt, "gap of second", "gap 2", "gap 3"]);
  });

  test("Q4: a read that yields waits for its turn for longer than a search may", async () => {
    await using world = await heldUp();
    jest.useFakeTimers();
    const gap = world.searchEvents("gap", { yields: true });
    const late = expect(world.search("search")).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    jest.advanceTimersByTime(4_000);
    await late;
    jest.useRealTimers();
    world.letGo();
    await world.first;
    expect(await gap).toHaveLength(1);
  });

  test("Q1: a write that ran out of time before it was begun is not stored afterwards", async () => {
    await using world = await heldUp();
    jest.useFakeTimers();
    const late = [world.apply(2), world.search("search")].map((answer) =>
      expect(answer).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" }),
    );
    jest.advanceTimersByTime(10_000);
    await Promise.all(late);
    jest.useRealTimers();
    world.letGo();
    await world.first;
    const found = await world.readModel.search(SEARCH);
    expect(found.map(({ id }) => id)).toEqual([searchedJob(1).id]);
  });

  test("a search that waits when the thread is closed is told so", async () => {
    await using world = await heldUp();
    const told = expect(world.search("search")).rejects.toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
    const closed = world.readModel.close();
    world.letGo();
    await Promise.all([world.first, closed, told]);
  });
});
