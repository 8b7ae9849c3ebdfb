/** Why the edge, or the way to it, did not answer. `status` 0: no answer came at all. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** UPPER_SNAKE, as the contract lists them; empty where the edge did not say. */
  readonly reason: string;
  /** 32 hex digits, to find the request in logs and traces; empty where there is none. */
  readonly traceId: string;
  /** Seconds after which asking again makes sense, where the edge said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(about: {
    status: number;
    title: string;
    detail?: string;
    reason?: string;
    traceId?: string;
    retryAfterSeconds?: number | undefined;
    cause?: unknown;
  }) {
    super(about.detail || about.title, { cause: about.cause });
    this.status = about.status;
    this.title = about.title;
    this.detail = about.detail ?? "";
    this.reason = about.reason ?? "";
    this.traceId = about.traceId ?? "";
    this.retryAfterSeconds = about.retryAfterSeconds;
  }

  /** Whether asking again may help: the edge was away, busy or behind. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Reads the problem document of an answer; one that is none (a proxy's page) still gives a problem. */
export async function problemOf(response: Response): Promise<Problem> {
  const body = await response.json().catch(() => undefined);
  const text = (name: string): string => {
    const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
    return typeof value === "string" ? value : "";
  };
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new Problem({
    status: response.status,
    title: text("title") || `The platform answered ${response.status}`,
    detail: text("detail"),
    reason: text("reason"),
    traceId: text("traceId"),
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  });
}
