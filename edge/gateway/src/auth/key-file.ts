import { hash, timingSafeEqual } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { type Caller, isScope, type KeyStore } from "./key-store.ts";
import { SECURITY_EVENT } from "./security-events.ts";

interface HashedKey {
  readonly digest: Buffer;
  readonly caller: Caller;
}

/**
 * Keys by the first bytes of their digest, so that a look-up compares one digest as a rule, and that in
 * constant time.
 */
type KeyIndex = ReadonlyMap<string, readonly HashedKey[]>;

const INDEX_CHARACTERS = 8;
const SHA256_HEX = /^[0-9a-f]{64}$/;

/**
 * Reads `{ "keys": [ { "id", "sha256", "project", "scopes" } ] }`, hashes in lower-case hex.
 *
 * @throws Error naming the entry that is wrong; a file with one bad entry is refused as a whole, because half
 * of it would lock out the rest without a word
 */
export function parseKeyFile(text: string): KeyStore & { readonly size: number } {
  const document: unknown = JSON.parse(text);
  const keys = isRecord(document) ? document.keys : undefined;
  if (!Array.isArray(keys)) throw new Error('the key file has to hold { "keys": [ … ] }');
  const index = new Map<string, HashedKey[]>();
  keys.forEach((entry: unknown, position) => {
    const key = parseKey(entry, position);
    const bucket = key.digest.toString("hex").slice(0, INDEX_CHARACTERS);
    index.set(bucket, [...(index.get(bucket) ?? []), key]);
  });
  // Secrets that were found once: to hash each again and again was a fortieth of a request. As many as keys at most.
  const found = new Map<string, Caller>();
  const find = (secret: string): Caller | undefined => {
    const known = found.get(secret);
    if (known !== undefined) return known;
    const caller = findKey(index, secret);
    if (caller !== undefined) found.set(secret, caller);
    return caller;
  };
  return { size: keys.length, find };
}

/**
 * Serves the keys of a file, and reads it again within a second of a change. A file that cannot be read then
 * leaves the keys before it in force, and is logged.
 *
 * @throws Error when the file cannot be read at the start
 */
export function openKeyFile(options: {
  path: string;
  logger: Logger;
  /** Milliseconds between two looks at the file. */
  pollMs?: number;
}): KeyStore & Disposable {
  let keys = parseKeyFile(readFileSync(options.path, "utf8"));
  const reread = () => {
    try {
      keys = parseKeyFile(readFileSync(options.path, "utf8"));
      options.logger.security(SECURITY_EVENT.KEYS_RELOADED, { keys: keys.size });
    } catch (error) {
      options.logger.error("the key file cannot be read; the keys before stay in force", {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  };
  // A poll of the name sees a file that was replaced by a rename, which a watch of the file itself loses.
  watchFile(options.path, { interval: options.pollMs ?? 1_000, persistent: false }, reread);
  return {
    find: (secret) => keys.find(secret),
    [Symbol.dispose]: () => unwatchFile(options.path, reread),
  };
}

function findKey(index: KeyIndex, secret: string): Caller | undefined {
  const digest = hash("sha256", secret, "buffer");
  const candidates = index.get(digest.toString("hex", 0, INDEX_CHARACTERS / 2)) ?? [];
  return candidates.find((key) => timingSafeEqual(key.digest, digest))?.caller;
}

function parseKey(entry: unknown, position: number): HashedKey {
  const where = `keys[${position}]`;
  if (!isRecord(entry)) throw new Error(`${where} is not an object`);
  const { id, sha256, project, scopes } = entry;
  if (typeof id !== "string" || id === "") throw new Error(`${where}.id is missing`);
  if (typeof project !== "string" || project === "") throw new Error(`${where}.project is missing`);
  if (typeof sha256 !== "string" || !SHA256_HEX.test(sha256)) {
    throw new Error(`${where}.sha256 is not a SHA-256 hash in lower-case hex`);
  }
  if (!Array.isArray(scopes)) throw new Error(`${where}.scopes is not a list`);
  const known = scopes.filter((scope: unknown) => typeof scope === "string" && isScope(scope));
  if (known.length !== scopes.length)
    throw new Error(`${where}.scopes may hold read, submit, work and admin`);
  return { digest: Buffer.from(sha256, "hex"), caller: { id, project, scopes: known } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
