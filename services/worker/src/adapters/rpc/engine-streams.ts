import type { Chance, Clock } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import type { EngineListener } from "../../application/ports.ts";
import { type Registration, type WorkClient, WorkStream } from "./work-stream.ts";

const BACKOFF_BASE_MS = 100;
const BACKOFF_CAP_MS = 2_000;
/**
 * A stream that lived so long had nothing wrong with it: the next try starts from the shortest wait again.
 */
const SETTLED_MS = 1_000;

/** One replica of the engine, with a client that reaches that one only. */
export interface Replica {
  readonly name: string;
  readonly client: WorkClient;
}

export interface EngineStreamsOptions {
  readonly replicas: readonly Replica[];
  readonly registration: Registration;
  readonly listener: EngineListener;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Hears why a stream ended, and how long until the next is opened. */
  readonly onEnded: (replica: string, cause: unknown, waitMs: number) => void;
}

/**
 * Keeps one stream open to each replica until the signal, whatever happens to them: a stream that ends is
 * opened again after a wait of full jitter (up to 100 ms at first, up to 2 s after failures in a row).
 */
export async function keepStreams(options: EngineStreamsOptions, signal: AbortSignal): Promise<void> {
  await Promise.all(options.replicas.map((replica) => keepStream(replica, options, signal)));
}

async function keepStream(
  replica: Replica,
  { registration, listener, clock, chance, onEnded }: EngineStreamsOptions,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const openedAtMs = clock.monotonicMs();
    const stream = new WorkStream(replica.name, registration, listener);
    const cause = await stream.live(replica.client, signal).then(
      () => "the engine ended the stream",
      (error: unknown) => error,
    );
    if (signal.aborted) return;
    failures = clock.monotonicMs() - openedAtMs >= SETTLED_MS ? 0 : failures + 1;
    const waitMs = chance.next() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures, 10));
    onEnded(replica.name, cause, Math.round(waitMs));
    await wait(waitMs, signal);
  }
}
