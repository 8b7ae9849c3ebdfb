import type { Worker } from "../api/contract.ts";
import { timeMs } from "../words/time-text.ts";
import type { Look } from "./status-look.ts";

/** Workers send a heartbeat every 5 seconds: three missed ones, and a lease of theirs is about to be lost. */
const SILENT_MS = 15_000;

/** A worker by what it was last heard to do: busy, idle, draining, or silent. */
export function workerLook({ leases, draining, lastSeenTime }: Worker, nowMs: number): Look {
  const seenMs = timeMs(lastSeenTime) ?? 0;
  // An idle worker asks for jobs with long polls and may be silent for as long as one takes.
  if (nowMs - seenMs > SILENT_MS && leases > 0) return { word: "silent", tone: "warn", shape: "question" };
  if (draining) return { word: "draining", tone: "quiet", shape: "back" };
  return leases > 0
    ? { word: "busy", tone: "active", shape: "play" }
    : { word: "idle", tone: "waiting", shape: "ring" };
}
