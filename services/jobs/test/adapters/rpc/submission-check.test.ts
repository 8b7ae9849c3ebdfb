import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { SubmitJobRequestSchema } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { validateMessage } from "@orrery/mesh/transport/validation";
import { isPlainSubmission } from "../../../src/adapters/rpc/submission-check.ts";

type Request = MessageInitShape<typeof SubmitJobRequestSchema>;

/** Values on and beyond every limit, field by field; each stands in a request that is sound otherwise. */
const TEXTS = [
  "",
  "a",
  "A-z.9",
  "ä",
  "a b",
  "a/b:c",
  "-a",
  "a\n",
  "\0",
  "\ud800",
  "x".repeat(128),
  "x".repeat(129),
];
const LONG = [
  "y".repeat(256),
  "y".repeat(257),
  "😀".repeat(128),
  "😀".repeat(256),
  "😀".repeat(257),
  "\udfff",
];
const NUMBERS = [-1, 0, 1, 2, 9, 10, 99, 100, 101, 2_147_483_647, -2_147_483_648];
const SPANS = [-1n, 0n, 1n, 604_800n, 604_801n, 157_784_760n, 157_784_761n].flatMap((seconds) =>
  [0, 1, 99_999_999, 100_000_000, 999_999_999].map((nanos) => ({ seconds, nanos })),
);

const labelled = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`l${index}`, "v"]));

const CASES: readonly Request[] = [
  ...TEXTS.map((task) => ({ task })),
  ...TEXTS.map((queue) => ({ task: "t", queue })),
  ...NUMBERS.map((priority) => ({ task: "t", priority })),
  ...NUMBERS.map((maxAttempts) => ({ task: "t", maxAttempts })),
  ...SPANS.map((timeout) => ({ task: "t", timeout })),
  ...SPANS.map((delay) => ({ task: "t", delay })),
  ...SPANS.map((delay) => ({ task: "t", delay, runTime: delay })),
  ...SPANS.map((maxDelay) => ({ task: "t", retryPolicy: { maxDelay } })),
  ...[0, 31, 32, 33].map((count) => ({ task: "t", labels: labelled(count) })),
  ...[...TEXTS, "x".repeat(63), "x".repeat(64), "__proto__"].map((name) => ({
    task: "t",
    labels: Object.fromEntries([[name, "v"]]),
  })),
  ...[...TEXTS, ...LONG].map((value) => ({ task: "t", labels: { a: value } })),
  ...[...TEXTS, ...LONG].map((concurrencyKey) => ({ task: "t", concurrencyKey })),
  ...[...TEXTS, "x".repeat(255), "x".repeat(256)].map((idempotencyKey) => ({ task: "t", idempotencyKey })),
];

describe("the look at a submission", () => {
  const judged = CASES.map((init) => {
    const request = create(SubmitJobRequestSchema, init);
    return {
      init,
      plain: isPlainSubmission(request),
      broken: validateMessage(SubmitJobRequestSchema, request),
    };
  });

  test("lets nothing pass that the contract's own validator refuses", () => {
    expect(judged.filter(({ plain, broken }) => plain && broken.length > 0)).toEqual([]);
    expect(judged.filter(({ broken }) => broken.length > 0).length).toBeGreaterThan(60);
  });

  test("sends to the validator only what names a time, a delay or a policy, or stands close to a limit", () => {
    const looked = judged.filter(({ plain, broken }) => !plain && broken.length === 0);
    const unneeded = looked.filter(({ init }) => !("delay" in init || "retryPolicy" in init));
    expect(unneeded.map(({ init }) => Object.keys(init).at(-1))).not.toContain("task");
    expect(unneeded.map(({ init }) => Object.keys(init).at(-1))).not.toContain("priority");
    expect(isPlainSubmission(create(SubmitJobRequestSchema, { task: "t", labels: labelled(32) }))).toBe(true);
    expect(isPlainSubmission(create(SubmitJobRequestSchema, { task: "t", maxAttempts: 100 }))).toBe(true);
  });

  test("does not pass a submission without a task", () => {
    expect(isPlainSubmission(create(SubmitJobRequestSchema, {}))).toBe(false);
  });
});

test.each([
  ["", "is required"],
  ["no task!", "must be 1 to 128 characters of A-Za-z0-9_.:/-, the first of A-Za-z0-9_"],
])("what a task may be called is said in words to who calls it %j", (task, description) => {
  const wrong = create(SubmitJobRequestSchema, { task });
  expect(validateMessage(SubmitJobRequestSchema, wrong)).toEqual([{ field: "task", description }]);
});
