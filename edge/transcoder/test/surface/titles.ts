import { readdirSync, readFileSync } from "node:fs";

/** A string that begins with labels, where a title stands: as an argument, or as the first cell of a row. */
const LABELS = /[([]\s*"((?:[A-Z]\d{1,2}(?:, )?)+): ([^"]*)"/g;

/** The titles of the tests in this folder that begin with labels of rows, by label. */
export function titlesByLabel(): ReadonlyMap<string, readonly string[]> {
  const titles = new Map<string, string[]>();
  const folder = new URL("../", import.meta.url);
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".test.ts"))) {
    for (const [, labels = "", title = ""] of readFileSync(new URL(name, folder), "utf8").matchAll(LABELS)) {
      for (const label of labels.split(", ")) {
        titles.set(label, [...(titles.get(label) ?? []), `${name}: ${title}`]);
      }
    }
  }
  return titles;
}
