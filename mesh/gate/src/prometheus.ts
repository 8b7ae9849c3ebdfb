/** One series of an answer. */
interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/**
 * Asks Prometheus for the value of an expression now.
 *
 * @throws Error where it does not answer, or not with success
 */
export async function instant(prometheusUrl: string, expression: string): Promise<readonly Sample[]> {
  const query = new URLSearchParams({ query: expression });
  const response = await fetch(`${prometheusUrl}/api/v1/query?${query.toString()}`, {
    signal: AbortSignal.timeout(10_000),
  });
  const answer = (await response.json()) as { status: string; error?: string; data?: { result: Sample[] } };
  if (answer.status !== "success") throw new Error(`${expression}: ${answer.error ?? answer.status}`);
  return answer.data?.result ?? [];
}

/** The value of an expression that is one number; 0 where there is no series. */
export async function numberFor(prometheusUrl: string, expression: string): Promise<number> {
  return Number((await instant(prometheusUrl, expression))[0]?.value[1] ?? 0);
}
