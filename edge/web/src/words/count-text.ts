const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A count with its thousands apart: `1,204`. */
export const countText = (count: number): string => WHOLE.format(count);

/** How many fit a query, where the read model may have stopped counting: `412`, `≥ 10,000`. */
export const totalText = (count: number, exact: boolean): string =>
  exact ? countText(count) : `≥ ${countText(count)}`;

/** A ratio as a percentage that never rounds something to nothing or everything. */
export function percentText(ratio: number): string {
  if (ratio <= 0) return "0 %";
  if (ratio < 0.001) return "< 0.1 %";
  if (ratio >= 1) return "100 %";
  if (ratio > 0.999) return "> 99.9 %";
  return ratio < 0.1 ? `${(ratio * 100).toFixed(1)} %` : `${Math.round(ratio * 100)} %`;
}

/** `1 job`, `2 jobs`. */
export const countOf = (count: number, noun: string, plural = `${noun}s`): string =>
  `${countText(count)} ${count === 1 ? noun : plural}`;
