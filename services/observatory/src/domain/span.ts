/** One piece of work of a trace. */
export interface Span {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  /** The span that it is a part of; empty for the first one. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly service: string;
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly failed: boolean;
  /** Only names on the list below. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Whose work it was: another project's is never shown. */
const PROJECT_ATTRIBUTE = "orrery.project";
/** The job or mission that it was about. */
const AGGREGATE_ATTRIBUTE = "orrery.aggregate";

/**
 * What is kept of a span's attributes: names of things of ours, codes and ids. Nothing that a user typed, and
 * nothing that tells where something runs.
 */
export const KEPT_ATTRIBUTES: ReadonlySet<string> = new Set([
  PROJECT_ATTRIBUTE,
  AGGREGATE_ATTRIBUTE,
  "orrery.event",
  "orrery.caller",
  "http.request.method",
  "http.route",
  "http.response.status_code",
  "rpc.system",
  "rpc.service",
  "rpc.method",
  "rpc.grpc.status_code",
]);

/**
 * The spans of a trace that a project may see. Anybody can go on in anybody's trace by sending its traceparent, so a
 * trace may hold the work of several projects: a project sees its own spans, and those that belong to nobody where
 * they lead to one of its own or come from one.
 *
 * @param aggregate - where many things share one trace (a batch, a mission), only this one's spans and those that
 * lead to them; everything where it is undefined
 */
export function visibleSpans(
  spans: readonly Span[],
  project: string,
  aggregate: string | undefined,
): readonly Span[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const isNobodys = (span: Span) => span.attributes[PROJECT_ATTRIBUTE] === undefined;
  const own = spans.filter((span) => span.attributes[PROJECT_ATTRIBUTE] === project);
  const seen = new Set(own);
  for (const span of own) {
    for (const before of ancestorsOf(span, byId)) {
      if (!isNobodys(before)) break;
      seen.add(before);
    }
  }
  const partsOf = Map.groupBy(spans.filter(isNobodys), (span) => span.parentSpanId);
  // The set grows while it is walked: what comes from a span that is seen is seen as well.
  for (const span of seen) for (const part of partsOf.get(span.spanId) ?? []) seen.add(part);
  if (aggregate === undefined) return [...seen];
  return aboutOne([...seen], aggregate);
}

function aboutOne(spans: readonly Span[], aggregate: string): readonly Span[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  // What does not say what it is about is a part of what does, such as the statement of one submission among many.
  const subjectOf = (span: Span) =>
    [span, ...ancestorsOf(span, byId)].find((one) => one.attributes[AGGREGATE_ATTRIBUTE] !== undefined)
      ?.attributes[AGGREGATE_ATTRIBUTE];
  const kept = new Set(spans.filter((span) => (subjectOf(span) ?? aggregate) === aggregate));
  for (const span of [...kept]) for (const before of ancestorsOf(span, byId)) kept.add(before);
  return [...kept];
}

/** What led to a span, the nearest first. A loop ends where it begins again. */
function ancestorsOf(span: Span, byId: ReadonlyMap<string, Span>): readonly Span[] {
  const found = new Set<Span>();
  for (let next = byId.get(span.parentSpanId); next !== undefined; next = byId.get(next.parentSpanId)) {
    if (next === span || found.has(next)) break;
    found.add(next);
  }
  return [...found];
}
