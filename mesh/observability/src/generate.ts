/** Writes the objectives' rules and document, and the dashboards. Run by `make generate`. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildImage, readContract } from "@orrery/contracts/image/contract-image";
import { generatedFiles } from "./generated-files.ts";

const folder = resolve(import.meta.dirname, "..");
const contract = readContract(await buildImage(".", resolve(folder, "../..")));
for (const [path, text] of generatedFiles(contract)) writeFileSync(join(folder, path), text);
