// Decides at the edge which traces are kept.
const { SamplingDecision, TraceIdRatioBasedSampler } = require("@opentelemetry/sdk-trace");
const { TokenBucket } = require("../resilience/token-bucket.cjs");

const KEPT = { decision: SamplingDecision.RECORD_AND_SAMPLED };
const DROPPED = { decision: SamplingDecision.NOT_RECORD };
/** Reads come in numbers and lead to nothing: they may not take the traces of what changes something. */
const READS_SHARE = 0.1;

/**
 * Keeps every trace as long as they are few, so that what somebody just did by hand can always be looked at, and
 * under load as many in a second as are allowed, and a share of the rest. Reads have a tenth of that to themselves.
 *
 * `wouldDrop` says beforehand, and spends nothing by that, whether a trace that began now would not be kept.
 *
 * @param {{ perSecond: number, ratio: number, now?: () => number }} limits - `ratio` 0 to 1; `now` in milliseconds
 * @returns {import("@opentelemetry/sdk-trace").Sampler & { wouldDrop(change: boolean): boolean }}
 */
function edgeSampler({ perSecond, ratio, now = () => performance.now() }) {
  const budgetOf = (share) =>
    new TokenBucket({ most: Math.max(1, share), perMs: share / 1_000, nowMs: now() });
  const changes = budgetOf(perSecond);
  const reads = budgetOf(perSecond * READS_SHARE);
  const rest = new TraceIdRatioBasedSampler(ratio);
  return {
    shouldSample(context, traceId, name, _kind, attributes) {
      if ((isChange(name, attributes) ? changes : reads).take(now())) return KEPT;
      return ratio > 0 ? rest.shouldSample(context, traceId) : DROPPED;
    },
    wouldDrop: (change) => ratio === 0 && (change ? changes : reads).tokensAt(now()) < 1,
    toString: () => `edge(${perSecond}/s, ${ratio})`,
  };
}

/** What the edge says of an HTTP request, or a call of gRPC by its name. */
function isChange(name, attributes) {
  const told = attributes["orrery.change"];
  return typeof told === "boolean" ? told : /\/(?:Submit|BatchSubmit|Create|Cancel|Retry|Resolve)/.test(name);
}

module.exports = { edgeSampler };
