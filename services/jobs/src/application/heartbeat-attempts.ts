import { type Batcher, createBatcher } from "@orrery/mesh/batching/batcher";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Beat, LeaseClaim, Leases } from "./ports.ts";

const MAX_ITEMS = 2_000;
const MAX_QUEUED = 100_000;

/** Takes workers' signs of life. */
export interface HeartbeatAttempts {
  /** Keeps one lease alive for 15 s more, and says whether its job is to be cancelled. */
  beat(claim: LeaseClaim): Promise<Beat>;
  /** Takes nothing more, and resolves when everything taken has its outcome. */
  close(): Promise<void>;
}

/** Heartbeats of all workers, each batch one statement over connections that nothing else can take (R26). */
export function createHeartbeatAttempts(leases: Leases, metrics?: Metrics): HeartbeatAttempts {
  const batcher: Batcher<LeaseClaim, Beat> = createBatcher({
    name: "heartbeat",
    maxItems: MAX_ITEMS,
    maxQueued: MAX_QUEUED,
    metrics,
    run: (claims) => leases.prolong(claims),
  });
  return { beat: (claim) => batcher.submit(claim), close: () => batcher.close() };
}
