// How many traces the edge keeps in a second. Apart from the sampler, because it is asked where no tracer is loaded too.

/** Reads come in numbers and lead to nothing: they may not take the traces of what changes something. */
const READS_SHARE = 0.1;

/** @type {(change: boolean) => boolean} */
let exhausted = () => false;

/**
 * Opens the process's budget of traces: so many a second, and for reads a tenth of that to themselves.
 *
 * @param {{ perSecond: number, ratio: number, now: () => number }} limits - `ratio`: the share of the rest that is
 *   kept, 0 to 1; `now` in milliseconds
 * @returns {{ take(change: boolean): boolean }}
 */
function openTraceBudget({ perSecond, ratio, now }) {
  const changes = tokenBucket(perSecond, now);
  const reads = tokenBucket(perSecond * READS_SHARE, now);
  exhausted = (change) => ratio === 0 && !(change ? changes : reads).hasOne();
  return { take: (change) => (change ? changes : reads).take() };
}

/**
 * Whether a trace that began now would not be kept. Asked before a span is made, which costs ten times as much even
 * where it is dropped at once: of thousands of requests a second nearly all are.
 *
 * @param {boolean} change - whether the request changes something
 */
const wouldDrop = (change) => exhausted(change);

/** Fills up to one second's worth. */
function tokenBucket(perSecond, now) {
  const most = Math.max(1, perSecond);
  let tokens = most;
  let filledMs = now();
  const hasOne = () => {
    const nowMs = now();
    tokens = Math.min(most, tokens + ((nowMs - filledMs) / 1_000) * perSecond);
    filledMs = nowMs;
    return tokens >= 1;
  };
  return {
    hasOne,
    take() {
      if (!hasOne()) return false;
      tokens -= 1;
      return true;
    },
  };
}

module.exports = { openTraceBudget, wouldDrop };
