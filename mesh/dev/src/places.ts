import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the checkout. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

/** Binaries of every platform started from this checkout, whatever its `ORRERY_HOME`; named by version. */
export const BINARY_CACHE = join(ROOT, ".orrery/bin");

/**
 * Where Node keeps what it compiled, types already stripped, keyed by content: a process that finds
 * everything there never loads the stripper. Measured on two virtual cores, for a service's size: 24 MiB less
 * memory and half the start.
 */
export const COMPILE_CACHE = join(ROOT, ".orrery/compile-cache");

/** Whether this process is root, and servers that refuse root have to run as another user. */
export const isRoot = (): boolean => process.getuid?.() === 0;

/**
 * Whether a user without rights of his own can reach a folder: every folder on the way lets others pass.
 * A folder that is not there yet counts as its nearest ancestor that is.
 */
export function othersCanReach(folder: string): boolean {
  for (let path = resolve(folder); ; path = dirname(path)) {
    if (existsSync(path) && (statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

/**
 * Makes a folder that others may pass through, not list, when we are root: the servers that run as another
 * user have theirs below it. Otherwise it is ours alone. The umask does not count.
 */
export function makePassage(folder: string): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, isRoot() ? 0o711 : 0o700);
}

/**
 * Where a server that runs as another user keeps its folder: below `home` where that user can reach it,
 * otherwise in the system's own place for lasting data (a temporary folder would lose a database at the next
 * boot).
 *
 * @returns an absolute path, the same for the same home; nothing is created
 */
export function reachablePlace(home: string, name: string): string {
  const wanted = join(resolve(home), name);
  if (!isRoot() || othersCanReach(dirname(wanted))) return wanted;
  return join(lastingRoot(), `orrery-${shortHash(resolve(home))}`, name);
}

/** A short name for a path that is too long for a socket or a folder name. */
export const shortHash = (path: string): string =>
  createHash("sha256").update(path).digest("hex").slice(0, 12);

function lastingRoot(): string {
  return existsSync("/var/lib") ? "/var/lib" : tmpdir();
}
