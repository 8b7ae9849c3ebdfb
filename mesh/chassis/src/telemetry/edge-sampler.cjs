// Decides at the edge which traces are kept.
const { SamplingDecision, TraceIdRatioBasedSampler } = require("@opentelemetry/sdk-trace");

const KEPT = { decision: SamplingDecision.RECORD_AND_SAMPLED };
const DROPPED = { decision: SamplingDecision.NOT_RECORD };
/** Reads come in numbers and lead to nothing: they may not take the traces of what changes something. */
const READS_SHARE = 0.1;

/**
 * Keeps every trace as long as they are few, so that what somebody just did by hand can always be looked at, and
 * under load as many in a second as are allowed, and a share of the rest. Reads have a tenth of that to themselves.
 *
 * @param {{ perSecond: number, ratio: number, now?: () => number }} limits - `ratio` 0 to 1; `now` in milliseconds
 * @returns {import("@opentelemetry/sdk-trace").Sampler}
 */
function edgeSampler({ perSecond, ratio, now = () => performance.now() }) {
  const changes = tokenBucket(perSecond, now);
  const reads = tokenBucket(perSecond * READS_SHARE, now);
  const rest = new TraceIdRatioBasedSampler(ratio);
  return {
    shouldSample(context, traceId, name, _kind, attributes) {
      const bucket = isChange(name, attributes) ? changes : reads;
      if (bucket.take()) return KEPT;
      return ratio > 0 ? rest.shouldSample(context, traceId) : DROPPED;
    },
    toString: () => `edge(${perSecond}/s, ${ratio})`,
  };
}

/** What the edge says of an HTTP request, or a call of gRPC by its name. */
function isChange(name, attributes) {
  const told = attributes["orrery.change"];
  return typeof told === "boolean" ? told : /\/(?:Submit|BatchSubmit|Create|Cancel|Retry|Resolve)/.test(name);
}

/** Fills up to one second's worth. */
function tokenBucket(perSecond, now) {
  const most = Math.max(1, perSecond);
  let tokens = most;
  let filledMs = now();
  return {
    take() {
      const nowMs = now();
      tokens = Math.min(most, tokens + ((nowMs - filledMs) / 1_000) * perSecond);
      filledMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}

module.exports = { edgeSampler };
