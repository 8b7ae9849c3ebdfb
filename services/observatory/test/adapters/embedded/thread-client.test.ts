import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { openEmbeddedReadModel } from "../../../src/adapters/embedded/embedded-read-model.ts";
import { NEWEST_FIRST } from "../../../src/domain/list-order.ts";
import { EVERYTHING } from "../../../src/domain/query/filter.ts";
import { projectionOf, searchedJob } from "../../projection-factory.ts";

const SEARCH = {
  kind: "job",
  project: "demo",
  filter: EVERYTHING,
  order: NEWEST_FIRST,
  after: undefined,
  limit: 10,
} as const;

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
  const other = new DatabaseSync(join(folder, "read-model.db"));
  other.exec("begin immediate");
  const answered: string[] = [];
  const noted = <T>(name: string, answer: Promise<T>) => answer.finally(() => answered.push(name));
  const apply = (number: number) =>
    noted(`apply ${number}`, readModel.apply([projectionOf(searchedJob(number))]));
  const search = (name: string, signal?: AbortSignal) =>
    noted(name, readModel.search({ ...SEARCH, ...(signal === undefined ? {} : { signal }) }));
  return {
    readModel,
    answered,
    apply,
    search,
    first: apply(1),
    letGo: () => other.exec("commit"),
    async [Symbol.asyncDispose]() {
      other.close();
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
    const asked = Array.from({ length: 500 }, (_, number) => world.search(`search ${number}`, gone.signal));
    await expect(world.search("one too many")).rejects.toMatchObject({ reason: "OVERLOADED" });
    gone.abort();
    const reasons = await Promise.allSettled(asked);
    expect(new Set(reasons.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    await expect(world.search("too late", gone.signal)).rejects.toMatchObject({ reason: "CANCELLED" });
    const next = world.search("the next");
    world.letGo();
    expect(await next).toHaveLength(1);
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
