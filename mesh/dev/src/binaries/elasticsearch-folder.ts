import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { BINARY_CACHE, isRoot, othersCanReach, ROOT, reachablePlace } from "../places.ts";
import { BinaryMissing } from "./binary-missing.ts";
import { withLock } from "./install.ts";
import { isAtLeast, onPath, printedVersion, runProgram } from "./program.ts";
import type { Announce } from "./resolve.ts";

/** The server that Elastic publishes for integration tests; the client of the same major works with it. */
export const ELASTICSEARCH_VERSION = "8.19.8";

const ARTIFACT = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${ELASTICSEARCH_VERSION}:zip`;
const PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack";
const JAVA_MINIMUM = "17";

/** An unpacked Elasticsearch and the Java to run it with. */
export interface ElasticsearchFolder {
  readonly path: string;
  readonly java: string;
  readonly version: string;
}

/**
 * Finds an unpacked Elasticsearch, or has Maven fetch and unpack one into the checkout's cache. Where the
 * server's user could not reach the cache, a copy goes to a place that it can reach.
 *
 * @param announce - told before it is fetched, which may take a minute
 * @throws BinaryMissing that names the command to type
 */
export async function resolveElasticsearch(
  announce: Announce = () => undefined,
): Promise<ElasticsearchFolder> {
  const java = await resolveJava();
  const given = process.env.ORRERY_ELASTICSEARCH;
  if (given !== undefined && given !== "") {
    if (isUnpacked(given)) return { path: given, java, version: "as given" };
    throw new BinaryMissing(
      `ORRERY_ELASTICSEARCH names ${given}, which holds no Elasticsearch: correct or unset it`,
    );
  }
  const path = join(BINARY_CACHE, `elasticsearch-${ELASTICSEARCH_VERSION}`);
  if (!isUnpacked(path)) {
    announce("Elasticsearch is not here: Maven fetches it");
    await withLock(path, () => unpack(path));
  }
  return { path: reachableCopy(path), java, version: ELASTICSEARCH_VERSION };
}

async function resolveJava(): Promise<string> {
  const home = process.env.JAVA_HOME;
  const java = home ? join(home, "bin/java") : onPath("java");
  const version = java === undefined ? undefined : printedVersion(java, ["-version"]);
  if (java !== undefined && version !== undefined && isAtLeast(version, JAVA_MINIMUM)) return java;
  const command = "apt-get install -y --no-install-recommends openjdk-17-jre-headless maven";
  if (isRoot() && onPath("apt-get") !== undefined) {
    await runProgram("apt-get", command.split(" ").slice(1));
    const installed = onPath("java");
    if (installed !== undefined) return installed;
  }
  throw new BinaryMissing(`Elasticsearch needs Java ${JAVA_MINIMUM} or newer: type '${command}'`);
}

async function unpack(path: string): Promise<void> {
  if (isUnpacked(path)) return;
  const maven = onPath("mvn");
  const command = `mvn ${PLUGIN} -Dartifact=${ARTIFACT} -DoutputDirectory=${dirname(path)}`;
  if (maven === undefined) {
    throw new BinaryMissing(
      "Elasticsearch comes by Maven: type 'apt-get install -y --no-install-recommends maven'",
    );
  }
  const folder = mkdtempSync(`${path}-unpacking-`);
  try {
    // Maven notes in `target` of its working folder what it has unpacked, and would not do it again: each its
    // own.
    const args = ["-B", "-q", PLUGIN, `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${folder}`];
    const { ok, output } = await runProgram(maven, args, { cwd: folder });
    const unpacked = join(folder, `elasticsearch-${ELASTICSEARCH_VERSION}`);
    if (!ok || !isUnpacked(unpacked)) {
      throw new BinaryMissing(
        `Elasticsearch cannot be had here (${output.trim().slice(-300)}): type '${command}'`,
      );
    }
    letOthersRead(unpacked);
    renameSync(unpacked, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function reachableCopy(path: string): string {
  if (!isRoot() || othersCanReach(path)) return path;
  const copy = reachablePlace(join(ROOT, ".orrery"), `elasticsearch-${ELASTICSEARCH_VERSION}`);
  if (isUnpacked(copy)) return copy;
  mkdirSync(dirname(copy), { recursive: true });
  cpSync(path, `${copy}-copying`, { recursive: true });
  renameSync(`${copy}-copying`, copy);
  return copy;
}

const isUnpacked = (path: string): boolean => existsSync(join(path, "lib/cli-launcher"));

/** Whatever the umask was: the server's user is another one. */
function letOthersRead(path: string): void {
  for (const entry of ["", ...readdirSync(path, { recursive: true, encoding: "utf8" })]) {
    const file = join(path, entry);
    const { mode } = statSync(file);
    chmodSync(file, mode | 0o444 | (mode & 0o100 ? 0o111 : 0));
  }
}
