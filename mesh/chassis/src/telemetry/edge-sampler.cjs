// Decides at the edge which traces are kept.
const { SamplingDecision, TraceIdRatioBasedSampler } = require("@opentelemetry/sdk-trace");
const { openTraceBudget } = require("./trace-budget.cjs");

const KEPT = { decision: SamplingDecision.RECORD_AND_SAMPLED };
const DROPPED = { decision: SamplingDecision.NOT_RECORD };

/**
 * Keeps every trace as long as they are few, so that what somebody just did by hand can always be looked at, and
 * under load as many in a second as are allowed, and a share of the rest. Reads have a tenth of that to themselves.
 *
 * @param {{ perSecond: number, ratio: number, now?: () => number }} limits - `ratio` 0 to 1; `now` in milliseconds
 * @returns {import("@opentelemetry/sdk-trace").Sampler}
 */
function edgeSampler({ perSecond, ratio, now = () => performance.now() }) {
  const budget = openTraceBudget({ perSecond, ratio, now });
  const rest = new TraceIdRatioBasedSampler(ratio);
  return {
    shouldSample(context, traceId, name, _kind, attributes) {
      if (budget.take(isChange(name, attributes))) return KEPT;
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

module.exports = { edgeSampler };
