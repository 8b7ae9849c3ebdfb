import { newTraceparent } from "@orrery/mesh/telemetry/trace";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import type { Alertmanager } from "../../application/ports.ts";
import { listedNoticesFrom } from "./notice-wire.ts";

const LIMIT_MS = 10_000;
/** Some 60,000 alerts. */
const LIMIT_BYTES = 64 * 1_024 * 1_024;

/**
 * Alertmanager by its own API.
 *
 * @param url - its address, as in `http://127.0.0.1:9093`
 */
export function askAlertmanager({ url, clock }: { url: string; clock: Clock }): Alertmanager {
  return {
    firing: async (signal) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
      const [status, alerts] = await Promise.all([
        read(new URL("/api/v2/status", url), limited),
        read(new URL("/api/v2/alerts", url), limited),
      ]);
      const nowMs = clock.nowMs();
      const frame = { newId: () => uuidV7(clock), traceparent: newTraceparent(), nowMs };
      return { notices: listedNoticesFrom(alerts, frame), upMs: nowMs - startOf(status) };
    },
  };
}

async function read(address: URL, signal: AbortSignal): Promise<Buffer> {
  const response = await fetch(address, { signal });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > LIMIT_BYTES) throw new Error(`Alertmanager's answer is over ${LIMIT_BYTES} bytes`);
  }
  if (!response.ok) throw new Error(`Alertmanager answers ${response.status}`);
  return Buffer.concat(parts);
}

/** When it was started: the API calls that `uptime`. */
function startOf(status: Buffer): number {
  const { uptime } = JSON.parse(status.toString()) as { uptime?: unknown };
  const startMs = typeof uptime === "string" ? Date.parse(uptime) : Number.NaN;
  if (Number.isNaN(startMs)) throw new Error("Alertmanager does not say since when it is up");
  return startMs;
}
