import type { Rule } from "./rules.ts";

const BEGIN = "<!-- generated from contracts/CONSTITUTION.md: make generate -->";
const END = "<!-- end of generated -->";

/** What the README says of what is here and what is not: made from the rules, so that it cannot flatter. */
export function hereAndNotYet(rules: readonly Rule[]): string {
  const of = (state: Rule["state"]) => rules.filter((rule) => rule.state === state);
  const listed = (some: readonly Rule[]) => some.map(({ id, text }) => `${id} ${shortOf(text)}`).join("; ");
  const held = `${of("enforced").length} are held by a check, ${of("in part").length} in part`;
  const counts =
    `Of the ${rules.length} rules of the [constitution](contracts/CONSTITUTION.md) ${held}, ` +
    `and ${of("not built").length} are not built yet.`;
  return [counts, `**In part**: ${listed(of("in part"))}.`, `**Not built yet**: ${listed(of("not built"))}.`]
    .map(wrapped)
    .join("\n\n");
}

/** The README with that part written anew. @throws Error where its marks are missing */
export function withSection(readme: string, section: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README.md lacks the marks ${BEGIN} and ${END}`);
  return `${readme.slice(0, from)}${BEGIN}\n${section}\n${readme.slice(to)}`;
}

/** The rule's name: what stands before the first colon or stop. */
const shortOf = (text: string): string => text.split(/[:.;]/)[0] ?? text;

function wrapped(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line.length + word.length >= 118) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
