/**
 * `make audit`: the quarterly look at the constitution: which rules are held, by what, which are not, and which waivers
 * end soon. It ends non-zero where a waiver has expired.
 */
import { readFileSync } from "node:fs";
import { rulesIn, versionOf, waiversIn } from "./rules.ts";

const DAY_MS = 86_400_000;
const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const constitution = read("CONSTITUTION.md");
const rules = rulesIn(constitution);
print(`constitution ${versionOf(constitution)}, ${rules.length} rules\n`);
for (const { id, text, state, checks } of rules) {
  print(
    `${id.padEnd(4)} ${state.padEnd(10)} ${String(checks.length).padStart(2)} checks  ${text.slice(0, 88)}`,
  );
}
const count = (state: string) => rules.filter((rule) => rule.state === state).length;
print(`\n${count("enforced")} enforced, ${count("in part")} in part, ${count("not built")} not built yet`);

const waivers = waiversIn(read("WAIVERS.md"));
for (const { rule, owner, expires } of waivers) {
  const days = Math.ceil((Date.parse(`${expires}T23:59:59Z`) - Date.now()) / DAY_MS);
  print(`waiver of ${rule} by ${owner}: ${days < 0 ? "EXPIRED" : `${days} days left`}`);
  if (days < 0) process.exitCode = 1;
}
print(`${waivers.length} waivers`);
