/**
 * Compares the contracts with earlier ones and says which promises a change breaks: what `buf breaking` sees, and what
 * it does not. Prints `file:line:column: rule: what breaks and for whom; what to do instead`, and ends with 100 where
 * it found something.
 *
 *     node contracts/src/diff/main.ts                  against the newest release, if there is one
 *     node contracts/src/diff/main.ts --against main   against a commit
 *     node contracts/src/diff/main.ts --rules          lists the rules
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildImage, readContract } from "../image/contract-image.ts";
import { newestRelease, readImage } from "../schema/released.ts";
import { bufBreakingImages } from "./buf-breaking.ts";
import { contractDiff, DIFF_RULES, notes } from "./contract-diff.ts";
import { findingLine } from "./finding.ts";

/** Exit status with which buf, too, says that it found something. */
const FOUND = 100;

const root = fileURLToPath(new URL("../../..", import.meta.url));
const { values } = parseArgs({
  options: {
    against: { type: "string" },
    except: { type: "string", multiple: true, default: [] },
    rules: { type: "boolean", default: false },
  },
});

if (values.rules) {
  for (const { name, holds } of DIFF_RULES) process.stdout.write(`${name.padEnd(26)} ${holds}\n`);
} else {
  process.exitCode = await compare(values.against, new Set(values.except));
}

async function compare(ref: string | undefined, except: ReadonlySet<string>): Promise<number> {
  const release = newestRelease(join(root, "contracts/released"));
  if (ref === undefined && release === undefined) {
    process.stdout.write(
      "nothing is released yet: the first release is what the contracts are held against\n",
    );
    return 0;
  }
  const earlier =
    release !== undefined && ref === undefined
      ? readImage(release)
      : await buildImage(`.git#ref=${ref}`, root);
  const later = await buildImage(".", root);
  const [before, after] = [readContract(earlier), readContract(later)];
  const found = [
    ...(await bufBreakingImages(root, { before: earlier, after: later, except })),
    ...contractDiff(before, after, except),
  ];
  for (const finding of found) process.stdout.write(`${findingLine(finding)}\n`);
  for (const {
    position: { file, line, column },
    text,
  } of notes(before, after)) {
    process.stdout.write(`${file}:${line}:${column}: note: ${text}\n`);
  }
  if (found.length > 0) return FOUND;
  process.stdout.write(`no promise of ${ref ?? release?.version} is broken\n`);
  return 0;
}
