/** I7: how long a lease lives from its last heartbeat. A worker stops trusting it 2 s earlier. */
export const LEASE_MS = 15_000;
/** How often a worker says that it lives. */
export const HEARTBEAT_SECONDS = 5;
/** How long a worker has to answer a request to cancel. */
export const CANCEL_ANSWER_MS = 10_000;

/** One open lease: who runs which attempt of a job, and until when by the database's clock. */
export interface Lease {
  readonly jobId: string;
  readonly epoch: number;
  readonly worker: string;
  readonly principal: string;
  readonly startMs: number;
  readonly expiresMs: number;
  /** When the attempt has run too long. */
  readonly timeoutMs: number;
}
