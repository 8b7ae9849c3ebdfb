import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Schema } from "./schema.ts";
import { isAtLeast } from "./version-bump.ts";

/** One release of the contracts: the image, and the schemas as they were published with it. */
export interface Release {
  readonly version: string;
  /** The path of the image. */
  readonly imageFile: string;
  /** By path below `contracts/schemas`. */
  readonly schemas: ReadonlyMap<string, Schema>;
}

const VERSION = /^[0-9]+\.[0-9]+\.[0-9]+$/;

/** The file names of a release, in a folder that is named after its version. */
export const RELEASE_FILES = { image: "image.binpb", schemas: "schemas.json" } as const;

/**
 * The newest release.
 *
 * @param folder - `contracts/released`
 * @returns undefined where nothing was released yet
 */
export function newestRelease(folder: string): Release | undefined {
  if (!existsSync(folder)) return undefined;
  const versions = readdirSync(folder).filter((name) => VERSION.test(name));
  const version = versions.sort((left, right) => (isAtLeast(left, right) ? 1 : -1)).at(-1);
  if (version === undefined) return undefined;
  const text = readFileSync(join(folder, version, RELEASE_FILES.schemas), "utf8");
  return {
    version,
    imageFile: join(folder, version, RELEASE_FILES.image),
    schemas: new Map(Object.entries(JSON.parse(text) as Record<string, Schema>)),
  };
}

/** The image of a release. */
export function readImage({ imageFile }: Release): Uint8Array {
  return readFileSync(imageFile);
}
