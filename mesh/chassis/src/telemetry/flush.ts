import { ProxyTracerProvider, trace } from "@opentelemetry/api";

/**
 * Sends the spans that are still held back, where an exporter is registered. Never fails: a stop must go on.
 */
export async function flushTelemetry(): Promise<void> {
  const provider: unknown = trace.getTracerProvider();
  const target: unknown = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  if (!canFlush(target)) return;
  try {
    await target.forceFlush();
  } catch {
    // The collector is away: spans are lost, the process still stops in order.
  }
}

function canFlush(value: unknown): value is { forceFlush(): Promise<void> } {
  return (
    typeof value === "object" &&
    value !== null &&
    "forceFlush" in value &&
    typeof value.forceFlush === "function"
  );
}
