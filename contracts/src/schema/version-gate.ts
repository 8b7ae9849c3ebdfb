import { event as eventRules } from "../../gen/orrery/options/v1/options_pb.js";
import type { Contract } from "../image/contract-image.ts";
import { type Position, pathOf, positionAt } from "../image/source-text.ts";
import { PUBLISHED_FILE } from "./published.ts";
import type { Schema } from "./schema.ts";
import type { SchemaDocument } from "./schema-documents.ts";
import { differences, isAtLeast, largestBump, leastVersion } from "./version-bump.ts";

/** A schema whose version says less than what changed in it. */
export interface VersionTooSmall {
  /** Where the version is written. */
  readonly position: Position;
  readonly name: string;
  /** What to do, in one sentence. */
  readonly fix: string;
}

/** The schemas whose versions are smaller than their changes since the release ask for. */
export function versionsTooSmall(
  released: ReadonlyMap<string, Schema>,
  documents: readonly SchemaDocument[],
  contract: Contract,
): readonly VersionTooSmall[] {
  return documents.flatMap(({ path, name, version, schema }) => {
    const before = released.get(path);
    if (before === undefined) return [];
    const found = differences(before, schema);
    const bump = largestBump(found);
    const was = String(before.$version);
    const least = leastVersion(was, bump);
    if (isAtLeast(version, least)) return [];
    const why = found
      .filter((one) => one.bump === bump)
      .map((one) => `${one.path === "" ? "it" : one.path} ${one.what}`)
      .join("; ");
    const fix = `${name} was ${was} and is ${version}: ${why}, which is ${bump}; set its version to ${least}`;
    return [{ position: positionOfVersion(contract, name), name, fix }];
  });
}

/** Where the version of a schema is written: the option of an event, or the table of the nouns. */
function positionOfVersion({ events }: Contract, name: string): Position {
  const event = events.find(({ type }) => type === name);
  if (event === undefined) return { file: PUBLISHED_FILE, line: 1, column: 1 };
  const { message } = event;
  // The path of `option (event)`: the message, its options (7), the extension.
  return positionAt(message.file, [...pathOf(message), 7, eventRules.number]);
}
