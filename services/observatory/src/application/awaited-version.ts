import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import { readConsistencyToken, type WantedVersion } from "../domain/consistency-token.ts";
import type { ReadModel } from "./ports.ts";

/** How long a read waits for a write that it has to hold. */
export const WAIT_LIMIT_MS = 3_000;
const POLL_MS = 25;

/**
 * Waits until a version of a job is searchable.
 *
 * @throws Fault `PROJECTION_BEHIND` (retryable) after 3 seconds
 */
export async function awaitVersion(
  { readModel, clock }: { readonly readModel: Pick<ReadModel, "job">; readonly clock: Clock },
  project: string,
  wanted: WantedVersion & { readonly signal: AbortSignal },
): Promise<void> {
  const lastMs = clock.monotonicMs() + WAIT_LIMIT_MS;
  for (;;) {
    const job = await readModel.job(project, wanted.jobId);
    if (job !== undefined && job.version >= wanted.version) return;
    if (wanted.signal.aborted || clock.monotonicMs() >= lastMs) {
      throw new Fault("PROJECTION_BEHIND", {
        detail: `Version ${wanted.version} of job ${wanted.jobId} is not in the read model yet.`,
        retryAfterMs: 1_000,
      });
    }
    await wait(POLL_MS, wanted.signal);
  }
}

/** @throws Fault `INVALID_REQUEST` for a text that no write answered with */
export function wantedBy(consistencyToken: string): WantedVersion | undefined {
  if (consistencyToken === "") return undefined;
  const wanted = readConsistencyToken(consistencyToken);
  if (wanted !== undefined) return wanted;
  const description = "not the Orrery-Consistency-Token of a write";
  throw new Fault("INVALID_REQUEST", {
    detail: "The consistency token is not one of ours.",
    fieldViolations: [{ field: "consistencyToken", description }],
  });
}
