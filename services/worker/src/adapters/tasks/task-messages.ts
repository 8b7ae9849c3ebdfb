import type { AttemptResult } from "../../application/ports.ts";
import type { Attempt, LeaseRef } from "../../domain/attempt.ts";

/** What a pool says to its thread. */
export type ToThread =
  | { readonly kind: "start"; readonly attempts: readonly Attempt[] }
  | { readonly kind: "stop"; readonly leases: readonly LeaseRef[] };

/** What a thread says to its pool. */
export type ToPool =
  | { readonly kind: "ready" }
  | { readonly kind: "ended"; readonly results: readonly AttemptResult[] };
