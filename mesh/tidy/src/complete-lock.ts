/**
 * Completes package-lock.json after `npm install`, and writes the file back.
 *
 * npm leaves a platform's optional package out of the lock when the registry in use does not offer it, and
 * `npm ci` then refuses that very lock (npm/cli#9846). Each missing one is added with version and platform and
 * without an integrity hash, so that the same lock installs here and elsewhere. Download addresses are taken out:
 * they belong to the machine that installs.
 *
 * Run by `npm run lock`, the only way in which the lock changes.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface LockEntry {
  version?: string;
  resolved?: string;
  link?: boolean;
  dev?: boolean;
  optionalDependencies?: Record<string, string>;
}

const SYSTEMS: Readonly<Record<string, string>> = {
  aix: "aix",
  android: "android",
  darwin: "darwin",
  freebsd: "freebsd",
  linux: "linux",
  netbsd: "netbsd",
  openbsd: "openbsd",
  openharmony: "openharmony",
  sunos: "sunos",
  win32: "win32",
  windows: "win32",
};
const PROCESSORS: Readonly<Record<string, string>> = {
  aarch64: "arm64",
  arm: "arm",
  arm64: "arm64",
  armv7: "arm",
  ia32: "ia32",
  loong64: "loong64",
  mips64el: "mips64el",
  ppc64: "ppc64",
  riscv64: "riscv64",
  s390x: "s390x",
  wasm32: "wasm32",
  x64: "x64",
};

const EXACT_OR_CARET = /^[~^]?(\d+\.\d+\.\d+.*)$/;

/** The entry that npm would have written, or nothing where the name speaks of no platform. */
function platformEntry(name: string, range: string, dev: boolean): object | undefined {
  const version = EXACT_OR_CARET.exec(range)?.[1];
  const words = name.replace(/^.*\//, "").split(/[-.]/);
  const system = words.map((word) => SYSTEMS[word]).find(Boolean);
  const processor = words.map((word) => PROCESSORS[word]).find(Boolean);
  if (version === undefined || (system === undefined && processor === undefined)) return undefined;
  return {
    version,
    ...(processor ? { cpu: [processor] } : {}),
    ...(dev ? { dev: true } : {}),
    ...(words.some((word) => word.startsWith("musl")) ? { libc: ["musl"] } : {}),
    optional: true,
    ...(system ? { os: [system] } : {}),
  };
}

const file = "package-lock.json";
const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, LockEntry> };
let added = 0;
for (const [path, entry] of Object.entries({ ...lock.packages })) {
  if (!entry.link) delete entry.resolved;
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const known = [`${path}/node_modules/${name}`, `node_modules/${name}`].some((at) => lock.packages[at]);
    const missing = path === "" || known ? undefined : platformEntry(name, range, entry.dev === true);
    if (missing === undefined) continue;
    lock.packages[`node_modules/${name}`] = missing;
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`lock: ${added} platform packages added\n`);
