import { expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { valueFrom } from "@orrery/mesh/transport/json-value";
import { startWorld } from "./service-factory.ts";

// A world of its own: others would wait behind what is sent here.
test("jobs whose inputs together are too large for one call are submitted by several", async () => {
  await using world = await startWorld();
  await world.stopJobs();
  // The densest JSON there is: in a message it is five times as long.
  const input = valueFrom(`[${"1,".repeat(95_000)}1]`);
  const tasks = Array.from({ length: 12 }, (_, n) => `large.${n}`);
  const steps = tasks.map((task) => ({ name: "a", task, input }));
  // Meanwhile the first are tried again and again, which may keep a slow machine busy for longer than a launch waits.
  for (const step of steps)
    await eventually(() => world.launch({ name: step.task, steps: [step] }), { withinMs: 60_000 });
  await world.startJobs();
  for (const task of tasks) {
    const job = await eventually(() => world.comes(task), { withinMs: 60_000 });
    expect(job.task).toBe(task);
  }
}, 180_000);
