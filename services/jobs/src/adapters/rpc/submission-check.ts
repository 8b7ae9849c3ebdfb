import type { SubmitJobRequest } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";

// The rules of a submission are those of the contract, and its validator alone says what breaks them. It takes
// longer than anything else that is done to a submission, and nearly all submissions are plain: those are known
// here by a look. A test holds that nothing passes here which the validator refuses.

const TASK = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$/;
const QUEUE = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const LABEL = /^[a-z][a-z0-9_.-]{0,62}$/;
const KEY = /^[!-~]{1,255}$/;
const TEXT_LIMIT = 256;
const LABEL_LIMIT = 32;
const TIMEOUT_LIMIT_SECONDS = 604_800n;

/**
 * Whether a submission surely keeps every rule of its contract, strings that can be stored included. False says
 * only that the validator has to look: at whatever names a time, a delay or a retry policy, for instance.
 */
export function isPlainSubmission(request: SubmitJobRequest): boolean {
  const { queue, priority, maxAttempts, timeout, idempotencyKey } = request;
  return (
    TASK.test(request.task) &&
    (queue === undefined || QUEUE.test(queue)) &&
    isWithin(priority, 0, 9) &&
    (maxAttempts === undefined || isWithin(maxAttempts, 1, 100)) &&
    (timeout === undefined || isPlainTimeout(timeout)) &&
    request.retryPolicy === undefined &&
    request.runTime === undefined &&
    request.delay === undefined &&
    request.expireTime === undefined &&
    hasPlainLabels(request.labels) &&
    isPlainText(request.concurrencyKey) &&
    (idempotencyKey === undefined || KEY.test(idempotencyKey))
  );
}

const isWithin = (value: number, from: number, to: number): boolean =>
  Number.isInteger(value) && value >= from && value <= to;

/** Whole seconds, as nearly everybody writes a timeout. */
const isPlainTimeout = ({ seconds, nanos }: { seconds: bigint; nanos: number }): boolean =>
  nanos === 0 && seconds >= 1n && seconds <= TIMEOUT_LIMIT_SECONDS;

function hasPlainLabels(labels: Readonly<Record<string, string>>): boolean {
  let count = 0;
  for (const name in labels) {
    count += 1;
    if (count > LABEL_LIMIT || !LABEL.test(name) || !isPlainText(labels[name] ?? "")) return false;
  }
  return true;
}

/** No longer than the limit in UTF-16, which is never less than in characters, and fit for a database. */
const isPlainText = (text: string): boolean =>
  text.length <= TEXT_LIMIT && !text.includes("\0") && text.isWellFormed();
