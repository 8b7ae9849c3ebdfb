/** One lease, by what fences it. */
export interface LeaseRef {
  readonly jobId: string;
  readonly leaseEpoch: number;
}

/**
 * One attempt at a job, as it was granted. Inputs and outputs are JSON text: that is how they pass between
 * threads.
 */
export interface Attempt extends LeaseRef {
  readonly project: string;
  readonly task: string;
  /** JSON text; undefined where the job has no input. */
  readonly inputJson: string | undefined;
  /** 1 for the first. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** How long the attempt may take, in milliseconds; Infinity where the engine named no limit. */
  readonly timeoutMs: number;
  /** The same in every attempt. */
  readonly idempotencyKey: string;
  readonly correlationId: string;
  readonly traceparent: string;
}

/** Why an attempt did not succeed. */
export interface AttemptError {
  readonly type: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** How an attempt ended, in its worker's word. */
export type AttemptEnd =
  | { readonly kind: "succeeded"; readonly outputJson: string | undefined }
  | { readonly kind: "failed"; readonly error: AttemptError; readonly retryAfterMs?: number }
  | { readonly kind: "cancelled"; readonly error: AttemptError };

/** Names a lease in a map. */
export const leaseKey = ({ jobId, leaseEpoch }: LeaseRef): string => `${jobId}:${leaseEpoch}`;
