/**
 * Writes the manifests of Kubernetes and the compose file, from mesh/topology.ts and the protos.
 * Run by `make generate`.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { buildImage, readContract } from "@orrery/contracts/image/contract-image";
import { GENERATED_FOLDERS, outputs } from "./outputs.ts";

const folder = resolve(import.meta.dirname, "..");
const contract = readContract(await buildImage(".", resolve(folder, "../..")));
const files = outputs(contract);
for (const name of GENERATED_FOLDERS) rmSync(join(folder, name), { recursive: true, force: true });
for (const [path, text] of files) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
process.stdout.write(`deploy: ${files.size} generated files\n`);
