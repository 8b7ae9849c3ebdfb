/** Run by `make generate`: writes what the README says of what is here and what is not, from the constitution. */
import { readFileSync, writeFileSync } from "node:fs";
import { hereAndNotYet, withSection } from "./readme-section.ts";
import { rulesIn } from "./rules.ts";

const readme = new URL("../../../README.md", import.meta.url);
const constitution = new URL("../../CONSTITUTION.md", import.meta.url);
const section = hereAndNotYet(rulesIn(readFileSync(constitution, "utf8")));
writeFileSync(readme, withSection(readFileSync(readme, "utf8"), section));
