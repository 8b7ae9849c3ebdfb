import { join } from "node:path";
import { BINARY_CACHE } from "../places.ts";
import { BinaryMissing } from "./binary-missing.ts";
import { type Binary, binaryNamed } from "./catalogue.ts";
import { installFrom } from "./install.ts";
import { isAtLeast, isProgram, onPath, printedVersion } from "./program.ts";

/** A program to start, and how it was come by. */
export interface Resolved {
  readonly path: string;
  readonly version: string;
  readonly from: "environment" | "cache" | "PATH" | "installed";
  /** What a person should know: it is older than the version the project is written against. */
  readonly warning: string | undefined;
}

/**
 * Finds a program, and installs it where that is possible: the environment variable that names one, the
 * checkout's own cache, PATH if the version is new enough, then each source of the catalogue in order.
 *
 * @param announce - told before something is installed, which may take a minute
 * @throws BinaryMissing
 */
export async function resolveBinary(name: string, announce: Announce = () => undefined): Promise<Resolved> {
  const binary = binaryNamed(name);
  return here(binary) ?? install(binary, announce);
}

/** Finds a program, and installs nothing. @throws BinaryMissing where the environment names one that is not there */
export const findBinary = (name: string): Resolved | undefined => here(binaryNamed(name));

const here = (binary: Binary): Resolved | undefined => named(binary) ?? cached(binary) ?? found(binary);

/** Takes one line for the person at the terminal. */
export type Announce = (line: string) => void;

function named(binary: Binary): Resolved | undefined {
  const path = process.env[binary.variable];
  if (path === undefined || path === "") return undefined;
  if (!isProgram(path)) {
    throw new BinaryMissing(`${binary.variable} names ${path}, which is no program: correct or unset it`);
  }
  return resolved(binary, path, "environment");
}

/** The program in the checkout's cache, or undefined. */
export function cachedBinary(binary: Binary): string | undefined {
  const path = cachePath(binary);
  return path !== undefined && isProgram(path) ? path : undefined;
}

function cached(binary: Binary): Resolved | undefined {
  const path = cachedBinary(binary);
  return path === undefined ? undefined : resolved(binary, path, "cache");
}

function found(binary: Binary): Resolved | undefined {
  for (const name of [binary.name, `prometheus-${binary.name}`]) {
    const path = onPath(name);
    const version = path === undefined ? undefined : printedVersion(path, binary.versionArgs);
    if (path !== undefined && version !== undefined && isAtLeast(version, binary.reference)) {
      return resolved(binary, path, "PATH");
    }
  }
  return undefined;
}

/** An older program on PATH is better than none: it is what remains when nothing can be installed. */
async function install(binary: Binary, announce: Announce): Promise<Resolved> {
  announce(`${binary.name} is not here: installing it`);
  const refusals: string[] = [];
  const commands: string[] = [];
  for (const source of binary.sources) {
    const outcome = await installFrom(source, cachePath(binary) ?? "");
    if ("path" in outcome) return resolved(binary, outcome.path, "installed");
    refusals.push(outcome.refused);
    commands.push(outcome.command);
  }
  const older = onPath(binary.name);
  const version = older === undefined ? undefined : printedVersion(older, binary.versionArgs);
  if (older !== undefined && version !== undefined && isAtLeast(version, binary.minimum)) {
    return resolved(binary, older, "PATH");
  }
  throw new BinaryMissing(
    `${binary.name} cannot be had here (${refusals.join("; ")}): type '${commands.at(-1)}'`,
  );
}

function resolved(binary: Binary, path: string, from: Resolved["from"]): Resolved {
  const version = printedVersion(path, binary.versionArgs) ?? pinned(binary) ?? "of unknown version";
  const old = /^\d/.test(version) && !isAtLeast(version, binary.reference);
  const warning = old
    ? `${binary.name} ${version} is older than ${binary.reference}: it works, with less`
    : undefined;
  return { path, version, from, warning };
}

const pinned = (binary: Binary): string | undefined =>
  binary.sources.flatMap((source) => (source.kind === "go" ? [source.version.slice(1)] : []))[0];

/** The version is part of the path, so that a new pin is never answered with an old build. */
function cachePath(binary: Binary): string | undefined {
  const version = pinned(binary);
  return version === undefined ? undefined : join(BINARY_CACHE, `${binary.name}-${version}`, binary.name);
}
