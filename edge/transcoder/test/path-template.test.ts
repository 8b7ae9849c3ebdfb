import { describe, expect, test } from "@jest/globals";
import { parsePathTemplate, TemplateFault } from "../src/path-template.ts";

/** The segments as they would be written, `*` and `**` for wildcards. */
function shapeOf(template: string): readonly string[] {
  const { segments } = parsePathTemplate(template);
  return segments.map((segment) =>
    segment.kind === "literal" ? segment.text : segment.kind === "one" ? "*" : "**",
  );
}

describe("P1: a template in the grammar", () => {
  const good: readonly (readonly [template: string, segments: readonly string[], verb: string])[] = [
    ["/v1", ["v1"], ""],
    ["/v1:watch", ["v1"], "watch"],
    ["/v1/{name=shelves/*/books/*}", ["v1", "shelves", "*", "books", "*"], ""],
    ["/v1/{name=events/*}:cancel", ["v1", "events", "*"], "cancel"],
    ["/a/*/{thing.id}/{cat=**}:do", ["a", "*", "*", "**"], "do"],
    ["/{_}", ["*"], ""],
    ["/**", ["**"], ""],
    ["/{a=b}/c", ["b", "c"], ""],
    ["/my%2fblog~a%2Cb/%2A", ["my/blog~a,b", "*"], ""],
    ["/a:b%2Cc", ["a"], "b,c"],
    ["/$discovery/rest", ["$discovery", "rest"], ""],
  ];
  test.each(good)("%s has its segments and verb", (template, segments, verb) => {
    expect(shapeOf(template)).toEqual(segments);
    expect(parsePathTemplate(template).verb).toBe(verb);
  });

  test("variables know where they begin and end, and whether they hold several segments", () => {
    const { variables } = parsePathTemplate("/v1/{a.b=x/*}/{c}/{d=**}");
    const shapes = variables.map(({ fieldPath, start, end, multi }) => ({ fieldPath, start, end, multi }));
    expect(shapes).toEqual([
      { fieldPath: "a.b", start: 1, end: 3, multi: true },
      { fieldPath: "c", start: 3, end: 4, multi: false },
      { fieldPath: "d", start: 4, end: undefined, multi: true },
    ]);
  });
});

describe("P1: a template outside the grammar is refused at its column", () => {
  const bad: readonly (readonly [template: string, column: number])[] = [
    ["", 0],
    ["v1/a", 0],
    ["/", 1],
    ["/v1/", 4],
    ["/v1//a", 4],
    ["/v1/a?b=c", 5],
    ["/v1/a#b", 5],
    ["/v1/a b", 5],
    ["/v1/é", 4],
    ["/v1/a*", 5],
    ["/v1/***", 6],
    ["/v1/**/a", 4],
    ["/v1/{a=**}/b", 7],
    ["/v1/{a=**/b}", 7],
    ["/{1}", 2],
    ["/{a.1}", 4],
    ["/{a.}", 4],
    ["/{}", 2],
    ["/{-}", 2],
    ["/{a-}", 3],
    ["/{a", 3],
    ["/{a=", 4],
    ["/{a=}", 4],
    ["/{a=b/}", 6],
    ["/{a=/b}", 4],
    ["/{a/b}", 3],
    ["/a}", 2],
    ["/{a}b", 4],
    ["/a{b}", 2],
    ["/{a={b}}", 4],
    ["/{a}/{a}", 6],
    ["/a:", 3],
    ["/a:b/c", 4],
    ["/a:b:c", 4],
    ["/a:*", 3],
    ["/a:{b}", 3],
    ["/a%", 2],
    ["/a%1", 2],
    ["/a%zz", 2],
    ["/%ff", 1],
  ];
  test.each(bad)("%j fails at column %i", (template, column) => {
    const parse = () => parsePathTemplate(template);
    expect(parse).toThrow(TemplateFault);
    expect(parse).toThrow(expect.objectContaining({ column }));
  });
});
