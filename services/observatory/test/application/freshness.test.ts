import { expect, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { createFreshness } from "../../src/application/freshness.ts";
import type { StreamState } from "../../src/application/ports.ts";

function gauge() {
  const clock = new ManualClock();
  const world = {
    state: { stream: "A", lastSequence: 0, doneSequence: 0, behind: 0 } as StreamState,
    other: undefined as StreamState | undefined,
    settled: 0,
    away: false,
  };
  const freshness = createFreshness({
    readModel: {
      settle: () => {
        world.settled++;
        return Promise.resolve();
      },
    },
    progress: {
      read: () => {
        if (world.away) return Promise.reject(new Error("away"));
        return Promise.resolve([world.state, ...(world.other === undefined ? [] : [world.other])]);
      },
    },
    clock,
    onMeasured: () => undefined,
    onFailed: () => undefined,
  });
  return { clock, world, freshness };
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

test("the stream that is furthest behind counts, and one that is not there holds nothing back", async () => {
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
  world.other = undefined;
  await freshness.measure();
  expect(freshness.read().lagMs).toBe(0);
});
