/**
 * The SemVer bump that a change of a schema needs, found by comparing the two. What a reader of the earlier schema
 * can no longer rely on is major, what it may ignore is minor, what changes no value is a patch.
 */
import type { Schema } from "./schema.ts";

export type Bump = "none" | "patch" | "minor" | "major";

/** One difference, and what it asks for. */
export interface Difference {
  /** Where, as property names from the root. */
  readonly path: string;
  readonly what: string;
  readonly bump: Bump;
}

const ORDER: readonly Bump[] = ["none", "patch", "minor", "major"];

/** Keywords that carry words, and no promise about values. */
const WORDS = new Set([
  "title",
  "description",
  "examples",
  "$id",
  "$version",
  "$schema",
  "x-version",
  "x-private",
]);
/** Keywords that are compared by their parts, further down. */
const PARTS = new Set(["properties", "required", "enum", "items", "additionalProperties", "$defs", "$ref"]);

/** Everything that differs between two versions of one schema. */
export function differences(before: Schema, after: Schema): readonly Difference[] {
  return [...new Comparison(before, after).differences(before, after, "")];
}

/** The largest bump among differences. */
export function largestBump(found: readonly Difference[]): Bump {
  return found
    .map(({ bump }) => bump)
    .reduce((left, right) => (ORDER.indexOf(left) >= ORDER.indexOf(right) ? left : right), "none");
}

/** The least version that a bump leads to: 1.2.3 by minor is 1.3.0. */
export function leastVersion(version: string, bump: Bump): string {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  switch (bump) {
    case "major":
      return `${major + 1}.0.0`;
    case "minor":
      return `${major}.${minor + 1}.0`;
    case "patch":
      return `${major}.${minor}.${patch + 1}`;
    case "none":
      return version;
  }
}

/** Whether one SemVer is at least another. */
export function isAtLeast(version: string, least: string): boolean {
  const left = version.split(".").map(Number);
  const right = least.split(".").map(Number);
  const at = left.findIndex((part, index) => part !== right[index]);
  return at < 0 || (left[at] ?? 0) > (right[at] ?? 0);
}

class Comparison {
  readonly #before: Schema;
  readonly #after: Schema;
  /** Pairs of definitions that were compared, so that recursive ones end. */
  readonly #seen = new Set<string>();

  constructor(before: Schema, after: Schema) {
    this.#before = before;
    this.#after = after;
  }

  *differences(before: Schema, after: Schema, path: string): Generator<Difference> {
    const pair = `${String(before.$ref)} ${String(after.$ref)}`;
    if (before.$ref !== undefined || after.$ref !== undefined) {
      if (this.#seen.has(pair)) return;
      this.#seen.add(pair);
    }
    const left = resolve(this.#before, before);
    const right = resolve(this.#after, after);
    yield* keywords(left, right, path);
    yield* values(left, right, path);
    yield* this.#properties(left, right, path);
    for (const part of ["items", "additionalProperties"])
      yield* this.#part(left[part], right[part], `${path}/${part}`);
  }

  *#properties(left: Schema, right: Schema, path: string): Generator<Difference> {
    const before = (left.properties ?? {}) as Record<string, Schema>;
    const after = (right.properties ?? {}) as Record<string, Schema>;
    for (const [name, schema] of Object.entries(before)) {
      const now = after[name];
      if (now === undefined) yield { path: `${path}/${name}`, what: "was removed", bump: "major" };
      else yield* this.differences(schema, now, `${path}/${name}`);
    }
    for (const name of Object.keys(after)) {
      if (!(name in before)) yield { path: `${path}/${name}`, what: "was added", bump: "minor" };
    }
    const demanded = (left.required ?? []) as readonly string[];
    const demandedNow = (right.required ?? []) as readonly string[];
    for (const name of demandedNow) {
      if (!demanded.includes(name)) yield { path: `${path}/${name}`, what: "became required", bump: "major" };
    }
    for (const name of demanded) {
      if (!demandedNow.includes(name) && name in after) {
        yield { path: `${path}/${name}`, what: "may now be absent", bump: "major" };
      }
    }
  }

  *#part(before: unknown, after: unknown, path: string): Generator<Difference> {
    if (isSchema(before) && isSchema(after)) return yield* this.differences(before, after, path);
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    yield { path, what: "changed", bump: "major" };
  }
}

function* keywords(left: Schema, right: Schema, path: string): Generator<Difference> {
  for (const keyword of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (PARTS.has(keyword) || JSON.stringify(left[keyword]) === JSON.stringify(right[keyword])) continue;
    if (["$id", "$version"].includes(keyword)) continue;
    const bump = WORDS.has(keyword) ? "patch" : "major";
    yield { path, what: `${keyword} changed`, bump };
  }
}

function* values(left: Schema, right: Schema, path: string): Generator<Difference> {
  const before = (left.enum ?? []) as readonly string[];
  const after = (right.enum ?? []) as readonly string[];
  for (const value of before) {
    if (!after.includes(value)) yield { path, what: `the value ${value} was removed`, bump: "major" };
  }
  for (const value of after) {
    if (!before.includes(value)) yield { path, what: `the value ${value} was added`, bump: "minor" };
  }
}

function resolve(root: Schema, schema: Schema): Schema {
  if (typeof schema.$ref !== "string") return schema;
  const { $ref, ...beside } = schema;
  const name = $ref.slice($ref.lastIndexOf("/") + 1);
  const definitions = (root.$defs ?? {}) as Record<string, Schema>;
  return { ...resolve(root, definitions[name] ?? {}), ...beside };
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
