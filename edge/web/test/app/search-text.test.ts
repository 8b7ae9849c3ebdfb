import { expect, test } from "@jest/globals";
import { parseSearch, textOf, wordOf, writeSearch } from "../../src/app/search-text.ts";

test.each([
  [{ q: "status:failed,lost created:>-2h" }, "?q=status:failed,lost+created:>-2h"],
  [{ q: 'a "b" & c=d #e', tab: undefined }, "?q=a+%22b%22+%26+c%3Dd+%23e"],
  [{ q: "" }, ""],
  [{ q: "1+1 %" }, "?q=1%2B1+%25"],
])("%j can be read in the address, and is read back the same", (search, text) => {
  expect(writeSearch(search)).toBe(text);
  if (search.q !== "") expect(parseSearch(text).q).toBe(search.q);
});

test("what is none of the words counts as not said", () => {
  expect(wordOf("trace", ["timeline", "trace"])).toBe("trace");
  expect(wordOf("bogus", ["timeline"])).toBeUndefined();
  expect(wordOf({ not: "text" }, ["timeline"])).toBeUndefined();
  expect([textOf(7), textOf(""), textOf("x")]).toEqual([undefined, undefined, "x"]);
});
