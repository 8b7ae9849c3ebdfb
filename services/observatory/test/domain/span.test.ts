import { describe, expect, test } from "@jest/globals";
import { type Span, visibleSpans } from "../../src/domain/span.ts";
import { idOf, span } from "../span-factory.ts";

const of = (project: string, aggregate?: string) => ({
  "orrery.project": project,
  ...(aggregate === undefined ? {} : { "orrery.aggregate": aggregate }),
});
const numbersOf = (spans: readonly Span[]) =>
  spans.map(({ spanId }) => Number.parseInt(spanId, 16)).sort((left, right) => left - right);
const seenBy = (project: string, spans: readonly Span[], aggregate?: string) =>
  numbersOf(visibleSpans(spans, project, aggregate));

describe("what a project sees of a trace", () => {
  test("is its own work, what led to it, and what came of it", () => {
    const spans = [span(1, undefined), span(2, 1, of("mine")), span(3, 2), span(4, 3), span(5, undefined)];
    expect(seenBy("mine", spans)).toEqual([1, 2, 3, 4]);
  });

  test("never holds the work of another project that went on in the same trace", () => {
    const spans = [
      span(1, undefined, of("mine")),
      span(2, 1),
      span(3, 1, of("other")),
      span(4, 3),
      span(5, 4, of("other")),
      // What led to the work of both is seen by both.
      span(6, 7, of("mine")),
      span(7, 8),
      span(8, undefined),
      span(9, 7, of("other")),
    ];
    expect(seenBy("mine", spans)).toEqual([1, 2, 6, 7, 8]);
    expect(seenBy("other", spans)).toEqual([3, 4, 5, 7, 8, 9]);
    expect(seenBy("third", spans)).toEqual([]);
  });

  test("ends where a parent is another project's, even when that has parents of nobody", () => {
    const spans = [span(1, undefined), span(2, 1, of("other")), span(3, 2, of("mine"))];
    expect(seenBy("mine", spans)).toEqual([3]);
  });

  test("of a batch, for one job, is that job's work and what leads to it", () => {
    const spans = [
      span(1, undefined, of("mine")),
      span(2, 1, of("mine", "job-a")),
      span(3, 1, of("mine", "job-b")),
      span(4, 3, of("mine", "job-b")),
      span(5, 4, of("mine", "job-a")),
    ];
    expect(seenBy("mine", spans, "job-a")).toEqual([1, 2, 3, 4, 5]);
    expect(seenBy("mine", spans.slice(0, 4), "job-a")).toEqual([1, 2]);
    expect(seenBy("mine", spans)).toEqual([1, 2, 3, 4, 5]);
  });

  test("of a batch, for one job, leaves out the parts of another's work that do not say whose they are", () => {
    const spans = [
      span(1, undefined, of("mine")),
      span(2, 1, of("mine", "job-a")),
      span(3, 2, of("mine")),
      span(4, 1, of("mine", "job-b")),
      span(5, 4, of("mine")),
    ];
    expect(seenBy("mine", spans, "job-a")).toEqual([1, 2, 3]);
  });

  test("is found in a trace whose spans name each other as parents", () => {
    const spans = [span(1, 2), span(2, 1, of("mine")), span(3, 3, of("mine"))];
    expect(seenBy("mine", spans)).toEqual([1, 2, 3]);
    expect(idOf(1)).toHaveLength(16);
  });
});
