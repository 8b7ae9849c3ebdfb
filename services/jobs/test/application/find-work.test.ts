import { expect, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { type FindWorkDeps, findWork } from "../../src/application/find-work.ts";
import type { Demand } from "../../src/application/lease-jobs.ts";
import { createReadyBell } from "../../src/application/ready-bell.ts";

test("who waits for work is told that there is none as soon as the process drains", async () => {
  const draining = new AbortController();
  let asked = 0;
  const leases = {
    lease: () => {
      asked += 1;
      return Promise.resolve([]);
    },
  };
  const clock = new ManualClock(0);
  const deps = {
    leases,
    clock,
    bell: createReadyBell(),
    draining: draining.signal,
  } as unknown as FindWorkDeps;
  const service = { project: "demo", tasks: ["t"], queues: [] };
  const signal = new AbortController().signal;
  const demand = { service, worker: "w", principal: "k", requestId: "", max: 1, signal } as unknown as Demand;
  const waiting = findWork(deps, demand, 30_000);
  draining.abort();
  expect(await waiting).toEqual([]);
  expect(await findWork(deps, demand, 30_000)).toEqual([]);
  expect(asked).toBe(1);
});
