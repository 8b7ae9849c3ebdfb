// Prints each row of the surface with the tests that are named after it.
import { ROWS } from "./rows.ts";
import { titlesByLabel } from "./titles.ts";

const titles = titlesByLabel();
for (const [label, row] of Object.entries(ROWS)) {
  const named = titles.get(label) ?? [];
  process.stdout.write(`${label.padEnd(4)}${row}\n${named.map((title) => `      ${title}\n`).join("")}`);
}
const held = Object.keys(ROWS).filter((label) => titles.has(label));
process.stdout.write(`${held.length} of ${Object.keys(ROWS).length} rows are named in a test\n`);
