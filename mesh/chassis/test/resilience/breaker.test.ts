import { expect, test } from "@jest/globals";
import { Fault } from "../../src/fault/fault.ts";
import { type Breaker, type BreakerOptions, createBreaker } from "../../src/resilience/breaker.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { fixedChance } from "../../src/testing/fixed-chance.ts";
import { systemClock } from "../../src/time/clock.ts";

const metrics = createMetrics({ service: "test", defaults: false });
const breakerFor = (dependency: string, options: Partial<BreakerOptions> = {}): Breaker =>
  createBreaker({ dependency, metrics, resetMs: 100, chance: fixedChance(0.5), ...options });

const down = new Fault("DEPENDENCY_UNAVAILABLE", { detail: "down" });
const fail = (breaker: Breaker, with_: unknown = down): Promise<unknown> =>
  breaker.run(() => Promise.reject(with_)).catch((failure: unknown) => failure);
const gauge = async (dependency: string): Promise<number | undefined> =>
  (await metrics.registry.getSingleMetric("orrery_breaker_state")?.get())?.values.find(
    ({ labels }) => labels.dependency === dependency,
  )?.value;

test("a breaker opens after the volume is reached and closes when a probe succeeds", async () => {
  const breaker = breakerFor("closes");
  for (let n = 0; n < 19; n += 1) await fail(breaker);
  expect(breaker.state()).toBe("closed");
  await fail(breaker);
  expect(breaker.state()).toBe("open");
  expect(await gauge("closes")).toBe(2);
  const refused = await fail(breaker);
  expect(refused).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
  expect((refused as Fault).retryAfterMs).toBeGreaterThan(0);
  await eventually(() => expect(breaker.state()).toBe("half_open"));
  expect(await gauge("closes")).toBe(1);
  expect(await breaker.run(async () => "back")).toBe("back");
  expect(breaker.state()).toBe("closed");
  expect(await gauge("closes")).toBe(0);
  breaker.close();
});

test("a probe that fails opens it again, and of many calls while half open one gets through", async () => {
  const breaker = breakerFor("reopens", { volumeThreshold: 2 });
  await fail(breaker);
  await fail(breaker);
  await eventually(() => expect(breaker.state()).toBe("half_open"));
  let entered = 0;
  const probes = Array.from({ length: 10 }, () =>
    breaker
      .run(async () => {
        entered += 1;
        throw down;
      })
      .catch(() => undefined),
  );
  await Promise.all(probes);
  expect(entered).toBe(1);
  expect(breaker.state()).toBe("open");
  breaker.close();
});

test("refusals that the caller brought about never open it", async () => {
  const breaker = breakerFor("callers", { volumeThreshold: 2 });
  for (let n = 0; n < 50; n += 1) await fail(breaker, new Fault("NOT_FOUND", { detail: "no" }));
  for (let n = 0; n < 50; n += 1) await fail(breaker, new Fault("CANCELLED", { detail: "gone" }));
  expect(breaker.state()).toBe("closed");
  breaker.close();
});

test("a call that is cancelled while it probes does not close it", async () => {
  const breaker = breakerFor("cancelled", { volumeThreshold: 2 });
  await fail(breaker);
  await fail(breaker);
  await eventually(() => expect(breaker.state()).toBe("half_open"));
  await fail(breaker, new Fault("CANCELLED", { detail: "gone" }));
  expect(breaker.state()).toBe("open");
  breaker.close();
});

test("what says nothing of the dependency neither opens a breaker nor closes one", async () => {
  const impatient = new Fault("DEADLINE_EXCEEDED", { detail: "in a hurry" });
  const verdict = (error: unknown) => (error === impatient ? "nothing" : "failure");
  const breaker = breakerFor("nothing", { volumeThreshold: 2, verdict });
  for (let n = 0; n < 10; n += 1) await fail(breaker, impatient);
  expect(breaker.state()).toBe("closed");
  for (let n = 0; n < 20; n += 1) await fail(breaker);
  expect(breaker.state()).toBe("open");
  await eventually(() => expect(breaker.state()).toBe("half_open"));
  await fail(breaker, impatient);
  expect(breaker.state()).toBe("open");
  breaker.close();
});

test("an action that hangs is ended at its limit and counts as a failure", async () => {
  const breaker = breakerFor("hangs", { volumeThreshold: 2, timeoutMs: 50 });
  const aborted: boolean[] = [];
  const hang = (signal: AbortSignal): Promise<never> =>
    new Promise(() => signal.addEventListener("abort", () => aborted.push(true)));
  const startedMs = systemClock.monotonicMs();
  for (const _ of [1, 2]) {
    const failure = await breaker.run(hang).catch((error: unknown) => error);
    expect(failure).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE", retryAfterMs: 100 });
  }
  expect(systemClock.monotonicMs() - startedMs).toBeLessThan(1_000);
  expect(aborted).toEqual([true, true]);
  expect(breaker.state()).toBe("open");
  breaker.close();
});
