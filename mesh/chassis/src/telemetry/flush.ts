import { trace } from "@opentelemetry/api";
import { wait } from "../time/wait.ts";

/** An exporter goes on trying for five seconds where its collector is away. */
const FLUSH_WITHIN_MS = 1_000;

/**
 * Sends the spans that are still held back, where an exporter is registered, for a second at most. Never fails: a stop
 * must go on. An exporter that still tries keeps its process alive for some seconds more, unless that is ended.
 */
export async function flushTelemetry(): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([exportingProvider()?.forceFlush(), wait(FLUSH_WITHIN_MS, over.signal)]);
  } catch {
    // The collector is away: spans are lost, the process still stops in order.
  } finally {
    over.abort();
  }
}

/**
 * What was registered to export spans; undefined where nothing was.
 *
 * Known by what it can do and not by its class: the preload registers it as CommonJS, and the same class is another
 * one there.
 */
export function exportingProvider(): { forceFlush(): Promise<void> } | undefined {
  const provider: unknown = trace.getTracerProvider();
  const target: unknown = hasDelegate(provider) ? provider.getDelegate() : provider;
  return canFlush(target) ? target : undefined;
}

function hasDelegate(value: unknown): value is { getDelegate(): unknown } {
  return (
    typeof value === "object" &&
    value !== null &&
    "getDelegate" in value &&
    typeof value.getDelegate === "function"
  );
}

function canFlush(value: unknown): value is { forceFlush(): Promise<void> } {
  return (
    typeof value === "object" &&
    value !== null &&
    "forceFlush" in value &&
    typeof value.forceFlush === "function"
  );
}
