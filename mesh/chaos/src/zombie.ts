import type { Platform } from "../../dev/testing/platform.ts";

interface Granted {
  readonly jobId: string;
  readonly leaseEpoch: number;
}

/**
 * A worker that takes a lease, falls silent past its 15 seconds, and then reports success. The engine has to refuse
 * it.
 *
 * @returns the reason that the late result was refused with
 */
export async function lateCompletion(platform: Platform, run: string): Promise<string> {
  const task = `zombie.${run}`;
  const headers = { "idempotency-key": task };
  await platform.persist("POST", "/v1/jobs", { body: { task, maxAttempts: 5 }, headers });
  const first = await granted(platform, task, 1);
  const second = await granted(platform, task, first.leaseEpoch + 1);
  const late = await platform.persist("POST", "/v1/work:complete", {
    body: { results: [{ ...first, output: "late" }] },
  });
  await platform.persist("POST", "/v1/work:complete", {
    body: { results: [{ ...second, output: "in time" }] },
  });
  const [outcome] = late.body.outcomes;
  return outcome.ok ? "ACCEPTED" : outcome.reason;
}

/** Waits for a grant of the task's only job. The same request id finds a grant whose answer was lost on the way. */
async function granted(platform: Platform, task: string, atLeastEpoch: number): Promise<Granted> {
  const body = { tasks: [task], worker: "zombie", waitSeconds: 30, requestId: `${task}-${atLeastEpoch}` };
  for (let asked = 0; asked < 5; asked += 1) {
    const answer = await platform.persist("POST", "/v1/work:lease", { body });
    const lease = answer.body.leases.find((one: Granted) => one.leaseEpoch >= atLeastEpoch);
    if (lease !== undefined) return { jobId: lease.jobId, leaseEpoch: lease.leaseEpoch };
  }
  throw new Error(`no lease on ${task}`);
}
