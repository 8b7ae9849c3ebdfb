import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Schema } from "./schema.ts";
import { isAtLeast } from "./version-bump.ts";

/** One release of the contracts: the image, and the schemas as they were published with it. */
export interface Release {
  readonly version: string;
  /** The path of the image. */
  readonly imageFile: string;
  /** By path below `contracts/schemas`. */
  readonly schemas: ReadonlyMap<string, Schema>;
  /** One envelope of each event that was on the wire when it was cut; see `EVENTS_FROM`. */
  readonly events: readonly RecordedEvent[];
}

/** An event as it was published: its envelope. */
export type RecordedEvent = Readonly<Record<string, unknown>> & { readonly eventType: string };

/** Where releases are kept. */
export const RELEASES = fileURLToPath(new URL("../../released", import.meta.url));

const VERSION = /^[0-9]+\.[0-9]+\.[0-9]+$/;

/** The file names of a release, in a folder that is named after its version. */
export const RELEASE_FILES = {
  image: "image.binpb",
  schemas: "schemas.json",
  events: "events.json",
} as const;

/** Where the events of a release come from: the story that reads everything a platform has put on the wire. */
export const EVENTS_FROM =
  "RECORD_EVENTS=1 SELECT=stories jest -c mesh/tidy/jest/jest.config.mjs stories/document";

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
  const events = join(folder, version, RELEASE_FILES.events);
  return {
    version,
    imageFile: join(folder, version, RELEASE_FILES.image),
    schemas: new Map(Object.entries(JSON.parse(text) as Record<string, Schema>)),
    events: existsSync(events) ? (JSON.parse(readFileSync(events, "utf8")) as readonly RecordedEvent[]) : [],
  };
}

/** The newest release of this checkout. @throws Error where nothing was released yet */
export function lastRelease(): Release {
  const release = newestRelease(RELEASES);
  if (release === undefined) throw new Error("nothing was released yet: make release VERSION=0.1.0");
  return release;
}

/** The image of a release. */
export function readImage({ imageFile }: Release): Uint8Array {
  return readFileSync(imageFile);
}
