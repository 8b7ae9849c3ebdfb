import { describe, expect, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { createFreshness, type Freshness } from "../../src/application/freshness.ts";
import type { StreamState } from "../../src/application/ports.ts";

function gauge() {
  const clock = new ManualClock();
  const world = {
    state: { stream: "A", lastSequence: 0, doneSequence: 0, behind: 0 } as StreamState,
    other: undefined as StreamState | undefined,
    generation: "g-1",
    settled: 0,
    away: false,
    /** What happens while the broker is being asked. */
    meanwhile: () => {},
  };
  const measured: (Freshness & { readonly behind: number })[] = [];
  const freshness = createFreshness({
    readModel: {
      settle: () => {
        world.settled++;
        return Promise.resolve();
      },
    },
    progress: {
      generation: () => world.generation,
      read: () => {
        world.meanwhile();
        if (world.away) return Promise.reject(new Error("away"));
        return Promise.resolve([world.state, ...(world.other === undefined ? [] : [world.other])]);
      },
    },
    clock,
    onMeasured: (measurement) => measured.push(measurement),
    onFailed: () => undefined,
  });
  return { clock, world, measured, freshness };
}

test("with nothing pending everything up to now is searchable", async () => {
  const { clock, freshness } = gauge();
  clock.advance(5_000);
  await freshness.measure();
  expect(freshness.read()).toEqual({ asOfMs: clock.nowMs(), lagMs: 0 });
});

test("as long as nothing is known it promises nothing", async () => {
  const { clock, world, freshness } = gauge();
  world.state = { stream: "A", lastSequence: 100, doneSequence: 0, behind: 100 };
  await freshness.measure();
  expect(freshness.read()).toEqual({ asOfMs: 0, lagMs: clock.nowMs() });
});

test("under load it is as fresh as the newest note whose event is stored", async () => {
  const { clock, world, freshness } = gauge();
  await freshness.measure();
  const beganMs = clock.nowMs();
  for (const [lastSequence, doneSequence] of [
    [100, 0],
    [200, 90],
    [300, 150],
  ] as const) {
    clock.advance(1_000);
    world.state = { stream: "A", lastSequence, doneSequence, behind: lastSequence - doneSequence };
    await freshness.measure();
  }
  expect(freshness.read().asOfMs).toBe(beganMs + 1_000);
  clock.advance(1_000);
  world.state = { stream: "A", lastSequence: 400, doneSequence: 399, behind: 1 };
  await freshness.measure();
  expect(freshness.read()).toEqual({ asOfMs: beganMs + 3_000, lagMs: 1_000 });
});

test("while the broker is away the time stands still and the lag grows", async () => {
  const { clock, world, freshness } = gauge();
  await freshness.measure();
  const { asOfMs } = freshness.read();
  world.away = true;
  clock.advance(7_000);
  await expect(freshness.measure()).rejects.toThrow("away");
  expect(freshness.read()).toEqual({ asOfMs, lagMs: 7_000 });
});

test("a stream that was made anew does not hold the time back", async () => {
  const { clock, world, freshness } = gauge();
  world.state = { stream: "A", lastSequence: 1_000, doneSequence: 10, behind: 990 };
  await freshness.measure();
  clock.advance(1_000);
  world.state = { stream: "A", lastSequence: 5, doneSequence: 5, behind: 1 };
  await freshness.measure();
  expect(freshness.read().lagMs).toBe(0);
});

test("an idle stream leaves the store alone", async () => {
  const { world, freshness } = gauge();
  for (let time = 0; time < 5; time++) await freshness.measure();
  expect(world.settled).toBe(1);
  world.state = { stream: "A", lastSequence: 1, doneSequence: 1, behind: 0 };
  await freshness.measure();
  expect(world.settled).toBe(2);
});

test("the stream that is furthest behind counts, and one that was never there holds nothing back", async () => {
  const { clock, world, freshness } = gauge();
  await freshness.measure();
  const beganMs = clock.nowMs();
  clock.advance(1_000);
  world.other = { stream: "B", lastSequence: 9, doneSequence: 0, behind: 9 };
  await freshness.measure();
  expect(freshness.read()).toEqual({ asOfMs: beganMs, lagMs: 1_000 });
  clock.advance(1_000);
  world.other = { stream: "B", lastSequence: 12, doneSequence: 9, behind: 3 };
  await freshness.measure();
  expect(freshness.read()).toEqual({ asOfMs: beganMs + 1_000, lagMs: 1_000 });
});

test("a stream that was lost before all of it was stored holds the time back until it is there again", async () => {
  const { clock, world, measured, freshness } = gauge();
  world.other = { stream: "B", lastSequence: 9, doneSequence: 9, behind: 0 };
  await freshness.measure();
  const beganMs = clock.nowMs();
  clock.advance(1_000);
  world.other = { stream: "B", lastSequence: 12, doneSequence: 9, behind: 3 };
  await freshness.measure();
  world.other = undefined;
  clock.advance(4_000);
  await freshness.measure();
  expect(freshness.read()).toEqual({ asOfMs: beganMs, lagMs: 5_000 });
  expect(measured.at(-1)).toEqual({ asOfMs: beganMs, lagMs: 5_000, behind: 3 });
  world.other = { stream: "B", lastSequence: 3, doneSequence: 3, behind: 0 };
  await freshness.measure();
  expect(freshness.read().lagMs).toBe(0);
});

test("a stream that was lost when all of it was stored holds nothing back", async () => {
  const { clock, world, freshness } = gauge();
  world.other = { stream: "B", lastSequence: 9, doneSequence: 9, behind: 0 };
  await freshness.measure();
  world.other = undefined;
  clock.advance(1_000);
  await freshness.measure();
  expect(freshness.read().lagMs).toBe(0);
});

describe("a store that was made anew", () => {
  test("promises nothing of what the old one held, at once and until it has caught up", async () => {
    const { clock, world, freshness } = gauge();
    world.state = { stream: "A", lastSequence: 100, doneSequence: 100, behind: 0 };
    await freshness.measure();
    expect(freshness.read().lagMs).toBe(0);
    world.generation = "g-2";
    expect(freshness.read()).toEqual({ asOfMs: 0, lagMs: clock.nowMs() });
    for (const doneSequence of [0, 60, 99]) {
      clock.advance(1_000);
      world.state = { stream: "A", lastSequence: 100, doneSequence, behind: 100 - doneSequence };
      await freshness.measure();
      expect(freshness.read().asOfMs).toBe(0);
    }
    world.state = { stream: "A", lastSequence: 100, doneSequence: 100, behind: 0 };
    await freshness.measure();
    expect(freshness.read()).toEqual({ asOfMs: clock.nowMs(), lagMs: 0 });
  });

  test("takes nothing from notes about the old one", async () => {
    const { clock, world, freshness } = gauge();
    await freshness.measure();
    world.state = { stream: "A", lastSequence: 50, doneSequence: 0, behind: 50 };
    await freshness.measure();
    world.generation = "g-2";
    const beganMs = clock.nowMs();
    clock.advance(1_000);
    world.state = { stream: "A", lastSequence: 100, doneSequence: 60, behind: 40 };
    await freshness.measure();
    expect(freshness.read().asOfMs).toBe(0);
    clock.advance(1_000);
    world.state = { stream: "A", lastSequence: 120, doneSequence: 100, behind: 20 };
    await freshness.measure();
    expect(freshness.read().asOfMs).toBe(beganMs + 1_000);
  });

  test("while the old one is being measured gets nothing of that measurement", async () => {
    const { world, freshness } = gauge();
    world.meanwhile = () => {
      world.generation = "g-2";
    };
    await freshness.measure();
    expect(freshness.read().asOfMs).toBe(0);
    await freshness.measure();
    expect(freshness.read().lagMs).toBe(0);
  });
});
