import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { blocksOf, inlinesOf } from "../../src/markdown/blocks.ts";

describe("a runbook", () => {
  test("is read into headings, paragraphs, lists and code", () => {
    const blocks = blocksOf("# T\n\na\nb\n\n- one\n  more\n- two\n\n1. first\n\n```\nx  y\n```\n\n    z\n");
    expect(blocks.map(({ is }) => is)).toEqual(["heading", "paragraph", "list", "list", "code", "code"]);
    expect(blocks[1]).toEqual({ is: "paragraph", text: [{ is: "text", text: "a b" }] });
    expect(blocks[2]).toMatchObject({ ordered: false, items: [[{ text: "one more" }], [{ text: "two" }]] });
    expect(blocks.slice(4)).toEqual([
      { is: "code", text: "x  y" },
      { is: "code", text: "z" },
    ]);
  });

  test("keeps HTML as the text that it is", () => {
    expect(blocksOf("<script>x</script>")).toEqual([
      { is: "paragraph", text: [{ is: "text", text: "<script>x</script>" }] },
    ]);
  });

  test("ends although its code does not", () => {
    expect(blocksOf("```\nopen")).toEqual([{ is: "code", text: "open" }]);
  });

  test("has a table with its head", () => {
    expect(blocksOf("| a | b |\n|---|---|\n| 1 | 2 |")).toMatchObject([
      {
        is: "table",
        rows: [
          [[{ text: "a" }], {}],
          [{}, {}],
        ],
      },
    ]);
  });
});

test.each([
  ["[x](https://a.example/b)", { is: "link", text: "x", to: "https://a.example/b" }],
  ["[x](/docs)", { is: "link", text: "x", to: "/docs" }],
  ["[x](lease-losses-high.md)", { is: "link", text: "x", to: "/runbooks/lease-losses-high" }],
  ["[x](javascript:alert(1))", undefined],
  ["[x](data:text/html,hi)", undefined],
  ["[x](//evil.example)", undefined],
  ["`a*b*`", { is: "code", text: "a*b*" }],
  ["**b**", { is: "strong", text: "b" }],
])("%s leads nowhere but to the web or this edge", (text, piece) => {
  const pieces = inlinesOf(text);
  if (piece === undefined) expect(pieces.some(({ is }) => is === "link")).toBe(false);
  else expect(pieces).toEqual([piece]);
});

test("words_with_marks and 2 * 3 * 4 are no emphasis", () => {
  expect(inlinesOf("words_with_marks and 2 * 3 * 4")).toEqual([
    { is: "text", text: "words_with_marks and 2 * 3 * 4" },
  ]);
});

const RUNBOOKS = new URL("../../../../mesh/observability/runbooks/", import.meta.url);
test.each(readdirSync(RUNBOOKS).filter((name) => name.endsWith(".md")))(
  "%s is read whole: no mark is left over",
  (name) => {
    const blocks = blocksOf(readFileSync(new URL(name, RUNBOOKS), "utf8"));
    const texts = blocks.flatMap((block) =>
      "text" in block && typeof block.text !== "string" ? block.text : [],
    );
    expect(texts.filter(({ is, text }) => is === "text" && /\*\*|`|\]\(|^#|^\|/.test(text))).toEqual([]);
  },
);
