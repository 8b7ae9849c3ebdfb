import { type Attributes, SpanStatusCode, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

/** A span that has ended, as far as a test asks. */
export interface RecordedSpan {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly failed: boolean;
  readonly attributes: Attributes;
}

/**
 * Has spans recorded in this process from now on, for ever: a tracer is registered once. Call it at the top of a test
 * file, before anything is traced.
 *
 * @returns what has ended since it was called last, in that order
 */
export function recordSpans(): () => readonly RecordedSpan[] {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  );
  return () => {
    const spans = exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      spanId: span.spanContext().spanId,
      parentSpanId: span.parentSpanContext?.spanId ?? "",
      failed: span.status.code === SpanStatusCode.ERROR,
      attributes: span.attributes,
    }));
    exporter.reset();
    return spans;
  };
}
