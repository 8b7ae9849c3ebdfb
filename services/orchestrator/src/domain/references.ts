import type { Json } from "./mission.ts";

/** What `{ "$from": … }` points at: a place in the mission's input, in a step's output, or a step's key. */
export type Reference =
  | { readonly of: "input"; readonly path: readonly string[] }
  | { readonly of: "output"; readonly step: string; readonly path: readonly string[] }
  | { readonly of: "key"; readonly step: string };

/** A reference, or what is wrong with it, and where in the value it stands. */
export interface FoundReference {
  /** As in `.a[2].$from`. */
  readonly at: string;
  readonly reference: Reference | { readonly problem: string };
}

/** The values that references stand for. `undefined` where there is none. */
export interface Sources {
  readonly input: () => Json | undefined;
  readonly output: (step: string) => Json | undefined;
  readonly key: (step: string) => string | undefined;
}

/** What resolving came to: the value, or the reference that points at nothing. */
export type Resolved =
  | { readonly value: Json }
  | { readonly missing: string }
  | { readonly tooLarge: number };

const FROM = "$from";
const FORM = 'must be "input…", "steps.<name>.output…" or "steps.<name>.idempotencyKey"';

/** Finds every reference in a value, with its place. */
export function findReferences(value: Json, at = ""): readonly FoundReference[] {
  if (isList(value)) return value.flatMap((item, index) => findReferences(item, `${at}[${index}]`));
  if (!isObject(value)) return [];
  if (!Object.hasOwn(value, FROM)) {
    return Object.entries(value).flatMap(([key, inside]) => findReferences(inside, `${at}.${key}`));
  }
  const from = value[FROM];
  const place = `${at}.${FROM}`;
  if (Object.keys(value).length > 1)
    return [{ at: place, reference: { problem: "must stand alone in its object" } }];
  if (typeof from !== "string") return [{ at: place, reference: { problem: "must be a text" } }];
  return [{ at: place, reference: parseReference(from) }];
}

/** Reads the text of a reference. Segments are separated by dots; one of digits counts in a list. */
function parseReference(text: string): Reference | { readonly problem: string } {
  const [root, ...rest] = text.split(".");
  if (text.split(".").includes("")) return { problem: FORM };
  if (root === "input") return { of: "input", path: rest };
  const [step, part, ...path] = rest;
  if (root !== "steps" || step === undefined) return { problem: FORM };
  if (part === "output") return { of: "output", step, path };
  if (part === "idempotencyKey" && path.length === 0) return { of: "key", step };
  return { problem: FORM };
}

/**
 * Replaces every reference in a value that was checked at the launch.
 *
 * @param limitBytes - how much JSON may be put in: a few references to a large value would make it endless
 */
export function resolve(value: Json, sources: Sources, limitBytes: number): Resolved {
  const state = { bytes: 0, limitBytes };
  try {
    return { value: replace(value, sources, state) };
  } catch (stop) {
    if (stop instanceof Missing) return { missing: stop.reference };
    if (stop instanceof TooLarge) return { tooLarge: state.bytes };
    throw stop;
  }
}

class Missing extends Error {
  readonly reference: string;
  constructor(reference: string) {
    super(reference);
    this.reference = reference;
  }
}

class TooLarge extends Error {}

function replace(value: Json, sources: Sources, state: { bytes: number; limitBytes: number }): Json {
  if (isList(value)) return value.map((item) => replace(item, sources, state));
  if (!isObject(value)) return value;
  const from = Object.hasOwn(value, FROM) ? value[FROM] : undefined;
  if (typeof from !== "string") {
    // fromEntries defines each key, so that one such as __proto__ stays a key.
    return Object.fromEntries(
      Object.entries(value).map(([key, inside]) => [key, replace(inside, sources, state)]),
    );
  }
  const found = lookUp(parseReference(from), sources);
  if (found === undefined) throw new Missing(from);
  state.bytes += Buffer.byteLength(JSON.stringify(found));
  if (state.bytes > state.limitBytes) throw new TooLarge();
  return found;
}

function lookUp(reference: Reference | { readonly problem: string }, sources: Sources): Json | undefined {
  if ("problem" in reference) return undefined;
  switch (reference.of) {
    case "input":
      return at(sources.input(), reference.path);
    case "output":
      return at(sources.output(reference.step), reference.path);
    case "key":
      return sources.key(reference.step);
  }
}

function at(root: Json | undefined, path: readonly string[]): Json | undefined {
  let value = root;
  for (const segment of path) {
    if (isList(value)) value = /^(0|[1-9][0-9]{0,8})$/.test(segment) ? value[Number(segment)] : undefined;
    else if (isObject(value)) value = Object.hasOwn(value, segment) ? value[segment] : undefined;
    else return undefined;
  }
  return value;
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
