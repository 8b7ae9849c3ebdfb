/** The rules over events: none disappears, none changes under its name, each change is told by its version. */
import { event as eventOption } from "../../gen/orrery/options/v1/options_pb.js";
import type { Contract, Event } from "../image/contract-image.ts";
import { type Position, positionOf } from "../image/source-text.ts";
import type { Schema } from "../schema/schema.ts";
import { eventDocuments } from "../schema/schema-documents.ts";
import {
  type Difference,
  differences,
  isAtLeast,
  largestBump,
  leastVersion,
} from "../schema/version-bump.ts";
import { type DiffRule, type Finding, optionPosition } from "./finding.ts";

type Found = Omit<Finding, "rule">;

/** One event as it was and as it is, and what differs in its schema. */
interface EventChange {
  readonly was: Event;
  readonly is: Event;
  readonly found: readonly Difference[];
}

/** Schemas cost more to make than all other rules cost together: once for each pair of contracts. */
const KNOWN = new WeakMap<Contract, WeakMap<Contract, readonly EventChange[]>>();
const EARLIER = new WeakMap<Contract, ReadonlyMap<string, Schema>>();

function eventChanges(before: Contract, after: Contract): readonly EventChange[] {
  const of = KNOWN.get(before) ?? new WeakMap<Contract, readonly EventChange[]>();
  KNOWN.set(before, of);
  const found = of.get(after) ?? changesBetween(before, after);
  of.set(after, found);
  return found;
}

function schemasOf(contract: Contract): ReadonlyMap<string, Schema> {
  const known = EARLIER.get(contract);
  if (known !== undefined) return known;
  const schemas = new Map(eventDocuments(contract).map(({ path, schema }) => [path, schema]));
  EARLIER.set(contract, schemas);
  return schemas;
}

function changesBetween(before: Contract, after: Contract): readonly EventChange[] {
  const earlier = schemasOf(before);
  const later = new Map(eventDocuments(after, earlier).map(({ path, schema }) => [path, schema]));
  return before.events.flatMap((was) => {
    const is = after.events.find(({ type }) => type === was.type);
    const path = `events/${was.type}.json`;
    const [old, now] = [earlier.get(path), later.get(path)];
    if (is === undefined || old === undefined || now === undefined) return [];
    // The schema says its own major version: told apart below, by the versions themselves.
    const found = differences(old, now).filter(({ path: at }) => at !== "/version");
    return [{ was, is, found }];
  });
}

const told = (found: readonly Difference[], bump: string): string =>
  found
    .filter((one) => one.bump === bump)
    .slice(0, 3)
    .map(({ path, what }) => `${path === "" ? "it" : path} ${what}`)
    .join(", ");

const at = ({ message }: Event): Position => optionPosition(message, eventOption);

export const EVENT_RULES: readonly DiffRule[] = [
  {
    name: "event-removed",
    holds: "an event that consumers wait for goes on being told, under its name",
    *check(before, after): Generator<Found> {
      for (const { type, message } of before.events) {
        if (after.events.some((event) => event.type === type)) continue;
        const still = after.registry.getMessage(message.typeName);
        yield {
          position: positionOf(still ?? message),
          breaks: `consumers of ${type} hear nothing any more`,
          instead: "keep telling it beside its successor for as long as its stream keeps events",
        };
      }
    },
  },
  {
    name: "event-incompatible",
    holds: "a consumer reads every version of an event within its major version",
    *check(before, after): Generator<Found> {
      for (const { is, found } of eventChanges(before, after)) {
        if (largestBump(found) !== "major") continue;
        yield {
          position: at(is),
          breaks: `consumers of ${is.type} cannot read it: ${told(found, "major")}`,
          instead: "add beside what is there, or tell a new event in the next major version of the package",
        };
      }
    },
  },
  {
    name: "event-version-too-small",
    holds: "the version of an event says what changed in it",
    *check(before, after): Generator<Found> {
      for (const { was, is, found } of eventChanges(before, after)) {
        // Other words break nobody here; the release's own gate asks for their patch version.
        const bump = largestBump(found.filter((one) => one.bump !== "patch"));
        const least = leastVersion(was.version, bump);
        if (bump === "major" || isAtLeast(is.version, least)) continue;
        const why = bump === "none" ? "its version went back" : `${told(found, bump)}, which is ${bump}`;
        yield {
          position: at(is),
          breaks: `consumers of ${is.type} are told ${is.version} of what is more than ${was.version}: ${why}`,
          instead: `set its version to ${least}`,
        };
      }
    },
  },
];
