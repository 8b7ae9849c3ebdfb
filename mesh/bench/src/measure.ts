/** What one run of one case came to. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** How often a store is asked whether it is empty. */
export const LOOK_EVERY_MS = 5;

/** The middle value of a sample; of two middle ones the lower. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The value that so many percent of a sample do not exceed (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Runs so many callers side by side until all items are done, and returns items a second. */
export async function perSecond(
  items: number,
  callers: number,
  call: (item: number) => Promise<void>,
): Promise<number> {
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let item = next++; item < items; item = next++) await call(item);
    }),
  );
  return items / ((performance.now() - began) / 1000);
}

/** Starts something at a steady rate, without waiting for the one before (an open loop). */
export async function atRate(
  perSecondRate: number,
  count: number,
  start: (item: number) => Promise<void>,
): Promise<void> {
  const began = performance.now();
  const started: Promise<void>[] = [];
  for (let item = 0; item < count; item += 1) {
    const due = began + (item * 1000) / perSecondRate;
    const early = due - performance.now();
    if (early > 0) await new Promise((done) => setTimeout(done, early));
    started.push(start(item));
  }
  await Promise.all(started);
}
