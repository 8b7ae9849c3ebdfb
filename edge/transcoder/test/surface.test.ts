import { expect, test } from "@jest/globals";
import { ROWS } from "./surface/rows.ts";
import { titlesByLabel } from "./surface/titles.ts";

test("every row of the surface is named in the title of a test, and no title names another", () => {
  expect([...titlesByLabel().keys()].toSorted()).toEqual(Object.keys(ROWS).toSorted());
});
