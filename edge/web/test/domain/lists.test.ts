import { describe, expect, test } from "@jest/globals";
import { listNews } from "../../src/domain/list-news.ts";
import { newest, newestRows } from "../../src/domain/newest.ts";

const rows = (...ids: readonly string[]) => ids.map((id) => ({ id, version: 1 }));

describe("what came to a list", () => {
  test("is what the first page has and the list has not", () => {
    expect(listNews(rows("c", "b", "a"), rows("e", "d", "c"), false).added).toEqual(rows("e", "d"));
  });

  test("says that a row is gone only as far as the first page reaches", () => {
    const { gone } = listNews(rows("d", "c", "b", "a"), rows("d", "b"), false);
    expect([...gone]).toEqual(["c"]);
  });

  test("says that every missing row is gone where the first page is the whole list", () => {
    expect([...listNews(rows("b", "a"), rows("b"), true).gone]).toEqual(["a"]);
    expect([...listNews(rows("b", "a"), [], true).gone]).toEqual(["b", "a"]);
  });
});

describe("a row", () => {
  const row = { id: "a", version: 2, input: 7, blocked: "yes" as string | undefined };
  test("never goes back to an older version", () => {
    expect(newest(row, new Map([["a", { ...row, version: 1 }]]))).toBe(row);
    expect(newest(row, new Map([["a", { ...row }]]))).toBe(row);
  });

  test("keeps its input, which events leave out, and loses what the transition cleared", () => {
    const news = new Map([["a", { id: "a", version: 3 } as typeof row]]);
    expect(newest(row, news)).toEqual({ id: "a", version: 3, input: 7 });
  });

  test("that nothing is new about is not drawn again", () => {
    const shown = rows("a", "b");
    expect(newestRows(shown, new Map([["z", { id: "z", version: 9 }]]))).toBe(shown);
  });
});
