import type { Platform } from "../../dev/testing/platform.ts";

/**
 * A worker that takes a lease, falls silent past its 15 seconds, and then reports success. The engine has to refuse it.
 *
 * @returns the reason that the late result was refused with
 */
export async function lateCompletion(platform: Platform, run: string): Promise<string> {
  const task = `zombie.${run}`;
  await platform.send("POST", "/v1/jobs", { body: { task, maxAttempts: 2 } });
  const lease = { tasks: [task], worker: "zombie", waitSeconds: 20 };
  const first = (await platform.send("POST", "/v1/work:lease", { body: lease })).body.leases[0];
  const second = (await platform.send("POST", "/v1/work:lease", { body: { ...lease, waitSeconds: 30 } })).body
    .leases[0];
  const late = { results: [{ jobId: first.jobId, leaseEpoch: first.leaseEpoch, output: "late" }] };
  const { body } = await platform.send("POST", "/v1/work:complete", { body: late });
  const results = [{ jobId: second.jobId, leaseEpoch: second.leaseEpoch, output: "in time" }];
  await platform.send("POST", "/v1/work:complete", { body: { results } });
  return body.outcomes[0].ok ? "ACCEPTED" : body.outcomes[0].reason;
}
