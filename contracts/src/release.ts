/**
 * Cuts a release of the contracts: the image and the published schemas, kept for ever under contracts/released. From
 * then on `make test` holds every change against it.
 *
 *     node contracts/src/release.ts 1.1.0
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bufBreakingImages } from "./diff/buf-breaking.ts";
import { contractDiff } from "./diff/contract-diff.ts";
import { buildImage, readContract } from "./image/contract-image.ts";
import { EVENTS_FROM, newestRelease, RELEASE_FILES, readImage } from "./schema/released.ts";
import { schemaDocuments } from "./schema/schema-documents.ts";
import { isAtLeast } from "./schema/version-bump.ts";
import { versionsTooSmall } from "./schema/version-gate.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "contracts/released");
const [version = ""] = process.argv.slice(2);

process.exitCode = await cut();

async function cut(): Promise<number> {
  if (!/^[0-9]+\.[0-9]+\.[0-9]+$/.test(version)) return refuse("say which version, such as 1.0.0");
  const newest = newestRelease(folder);
  if (newest !== undefined && isAtLeast(newest.version, version)) {
    return refuse(`${newest.version} is released already: choose a higher version`);
  }
  const image = await buildImage(".", root);
  const contract = readContract(image);
  if (newest !== undefined && version.split(".")[0] === newest.version.split(".")[0]) {
    const before = readImage(newest);
    const broken = [
      ...(await bufBreakingImages(root, { before, after: image })),
      ...contractDiff(readContract(before), contract),
    ];
    if (broken.length > 0)
      return refuse(`${broken.length} promises of ${newest.version} are broken: see make breaking`);
  }
  const documents = schemaDocuments(contract, newest?.schemas);
  const small = versionsTooSmall(newest?.schemas ?? new Map(), documents, contract);
  if (small.length > 0) return refuse(small.map(({ fix }) => fix).join("\n"));
  mkdirSync(join(folder, version), { recursive: true });
  writeFileSync(join(folder, version, RELEASE_FILES.image), image);
  const schemas = Object.fromEntries(documents.map(({ path, schema }) => [path, schema]));
  writeFileSync(join(folder, version, RELEASE_FILES.schemas), `${JSON.stringify(schemas)}\n`);
  process.stdout.write(
    `contracts/released/${version}: ${contract.rpcs.length} RPCs, ${documents.length} schemas\n`,
  );
  process.stdout.write(`record what it puts on the wire: ${EVENTS_FROM}\n`);
  return 0;
}

function refuse(why: string): number {
  process.stderr.write(`${why}\n`);
  return 1;
}
