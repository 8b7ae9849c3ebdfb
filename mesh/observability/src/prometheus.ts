const ANSWER_LIMIT_MS = 10_000;

/** One series of an answer: its labels, and when it had which value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/**
 * Asks Prometheus for the values of an expression now, at most 10 s.
 *
 * @throws Error where it does not answer, or not with success
 */
export async function instant(prometheusUrl: string, expression: string): Promise<readonly Sample[]> {
  const query = new URLSearchParams({ query: expression });
  const response = await fetch(`${prometheusUrl}/api/v1/query?${query.toString()}`, {
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  const answer = (await response.json()) as { status: string; error?: string; data?: { result: Sample[] } };
  if (answer.status !== "success") throw new Error(`${expression}: ${answer.error ?? answer.status}`);
  return answer.data?.result ?? [];
}

/** The value of an expression that is one number; 0 where there is no series. */
export async function numberFor(prometheusUrl: string, expression: string): Promise<number> {
  return Number((await instant(prometheusUrl, expression))[0]?.value[1] ?? 0);
}
