import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { traceIdIn } from "../domain/envelope-payload.ts";
import { type Span, visibleSpans } from "../domain/span.ts";
import { awaitWrite, type ReadAfterWrite } from "./awaited-version.ts";
import type { ReadModel, TraceStore } from "./ports.ts";

/** What is kept of a trace, as far as a project may see it. */
export interface ReadTrace {
  /** 32 hex digits; empty where no event has told it yet. */
  readonly traceId: string;
  /** By their start, at most 1,000. */
  readonly spans: readonly Span[];
  /** Whether every span that came in is among them. */
  readonly complete: boolean;
}

const SPANS_LIMIT = 1_000;

/**
 * Reads the trace of a job or a mission. Without a span it was not kept: few are under load, and old ones go.
 *
 * @throws Fault `NOT_FOUND` · `PROJECTION_BEHIND`
 */
export const readTrace =
  (
    {
      readModel,
      traces,
      clock,
    }: { readonly readModel: ReadModel; readonly traces: TraceStore; readonly clock: Clock },
    kind: "job" | "mission",
  ) =>
  async (request: ReadAfterWrite & { readonly id: string }): Promise<ReadTrace> => {
    const { project, id } = request;
    await awaitWrite({ readModel, clock }, request);
    if ((await readModel.find(kind, project, id)) === undefined) {
      throw new Fault("NOT_FOUND", { detail: `There is no ${kind} ${id} in this project's read model.` });
    }
    const [event] = await readModel.history(project, id, { afterVersion: 0, limit: 1 });
    const traceId = event === undefined ? "" : traceIdIn(event.envelope);
    if (traceId === "") return { traceId, spans: [], complete: false };
    const { spans, whole } = await traces.read(traceId);
    const visible = visibleSpans(spans, project, kind === "job" ? id : undefined);
    const inOrder = visible.toSorted((left, right) => left.startUs - right.startUs);
    return {
      traceId,
      spans: inOrder.slice(0, SPANS_LIMIT),
      complete: whole && inOrder.length > 0 && inOrder.length <= SPANS_LIMIT,
    };
  };
