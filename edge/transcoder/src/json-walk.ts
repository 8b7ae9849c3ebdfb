import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonValue,
  type Registry,
  ScalarType,
} from "@bufbuild/protobuf";
import { toInteger } from "./decimal.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { FieldViolation } from "./error-details.ts";
import { fieldsByName } from "./field-path.ts";
import { type JsonStep, keyStep, renderPath } from "./json-path.ts";
import { InexactNumber, type JsonTree } from "./json-tree.ts";
import { MAX_VIOLATIONS } from "./limits.ts";
import { floatFault, rangeOf, readBase64, readEnumNumber, readScalarText } from "./scalar-text.ts";
import { durationFault, fieldMaskFault, timestampFault } from "./well-known-text.ts";

type Container = Record<string, JsonTree> | JsonTree[];

/**
 * Compares JSON with the message it is to become, and names the path of everything that does not fit.
 *
 * protobuf-es says what is wrong but not where, and takes some texts that ProtoJSON does not have (`0x10`,
 * `1sec`). The walk also settles the numbers that JavaScript would change: a 64-bit integer keeps its digits,
 * a float takes the nearest value, free JSON refuses them.
 */
export class JsonWalk {
  readonly violations: FieldViolation[] = [];
  readonly #steps: JsonStep[];
  readonly #registry: Registry;
  readonly #inexact: boolean;

  /**
   * @param inexact - whether the JSON holds an {@link InexactNumber}; without one, free JSON need not be
   * looked into
   * @param steps - the path that leads to the JSON
   */
  constructor(registry: Registry, inexact: boolean, steps: readonly JsonStep[] = []) {
    this.#registry = registry;
    this.#inexact = inexact;
    this.#steps = [...steps];
  }

  /** Walks the JSON of one field, which stands in `container` under `key`. */
  field(field: DescField, container: Container, key: string | number): void {
    this.#within(field.jsonName, () => this.#fieldValue(field, container, key));
  }

  /** Walks the JSON of a whole message, which stands in `container` under `key`. */
  message(desc: DescMessage, container: Container, key: string | number): void {
    const json = at(container, key);
    const wellKnown = WELL_KNOWN.get(desc.typeName);
    if (wellKnown !== undefined) {
      wellKnown(this, json);
      return;
    }
    const wrapped = WRAPPERS.get(desc.typeName);
    if (wrapped !== undefined) this.#scalar(wrapped, container, key);
    else if (desc.typeName === "google.protobuf.Any") this.#any(json);
    else if (isObject(json)) this.#members(desc, json);
    else this.#report("expected an object");
  }

  #members(desc: DescMessage, json: Record<string, JsonTree>): void {
    const names = fieldsByName(desc);
    const seen = new Map<unknown, string>();
    for (const key of Object.keys(json)) {
      const field = names.get(key);
      if (field === undefined) {
        this.#unknown(desc, key);
        continue;
      }
      if (json[key] === null && field.oneof !== undefined && !takesNull(field)) {
        // Null is absence, but protobuf-es takes it for a second member of the oneof.
        delete json[key];
        continue;
      }
      const other = seen.get(field) ?? seen.get(field.oneof ?? field);
      if (other === undefined) this.field(field, json, key);
      else this.#within(field.jsonName, () => this.#report(`cannot be given together with ${other}`));
      seen.set(field, key);
      if (field.oneof !== undefined) seen.set(field.oneof, key);
    }
  }

  #unknown(desc: DescMessage, key: string): void {
    const extension = key.startsWith("[") ? this.#registry.getExtension(key.slice(1, -1)) : undefined;
    if (extension?.extendee.typeName === desc.typeName) return;
    this.#within(keyStep(key), () =>
      this.#report(`there is no such field in ${desc.typeName}`, () => didYouMean(key, desc.fields)),
    );
  }

  #fieldValue(field: DescField, container: Container, key: string | number): void {
    const json = at(container, key);
    if (json === null && !takesNull(field)) return;
    if (field.fieldKind === "list") {
      if (!Array.isArray(json)) this.#report("expected an array");
      else for (const index of json.keys()) this.#within(index, () => this.#element(field, json, index));
    } else if (field.fieldKind === "map") {
      if (!isObject(json)) this.#report("expected an object");
      else
        for (const name of Object.keys(json))
          this.#within({ key: name }, () => this.#entry(field, json, name));
    } else {
      this.#single(field, container, key);
    }
  }

  #element(field: DescField, list: JsonTree[], index: number): void {
    if (list[index] === null && !takesNull(field)) this.#report("null cannot be an element");
    else this.#single(field, list, index);
  }

  #entry(field: DescField & { fieldKind: "map" }, entries: Record<string, JsonTree>, key: string): void {
    const read = readScalarText(field.mapKey, key);
    if ("fault" in read) this.#report(`as a key, ${read.fault}`);
    else if (entries[key] === null && !takesNull(field)) this.#report("null cannot be a value");
    else this.#single(field, entries, key);
  }

  #single(field: DescField, container: Container, key: string | number): void {
    if (field.message !== undefined) this.message(field.message, container, key);
    else if (field.enum !== undefined) this.#enum(field.enum, container, key);
    else if (field.scalar !== undefined) this.#scalar(field.scalar, container, key);
  }

  #enum(desc: DescEnum, container: Container, key: string | number): void {
    const json = at(container, key);
    if (desc.typeName === "google.protobuf.NullValue" && json === null) return;
    if (typeof json === "number") this.#check(readEnumNumber(desc, json));
    else if (typeof json !== "string") this.#report(`expected the name of a value of ${desc.typeName}`);
    else if (!desc.values.some((value) => value.name === json || value.jsonName === json)) {
      this.#report(`${desc.typeName} has no such value`, () => didYouMean(json, desc.values));
    }
  }

  #scalar(type: ScalarType, container: Container, key: string | number): void {
    const json = at(container, key);
    if (json instanceof InexactNumber) this.#inexactScalar(type, container, key);
    else if (typeof json === "number") this.#number(type, json);
    else if (type === ScalarType.BOOL) {
      if (typeof json !== "boolean") this.#report("expected true or false");
    } else if (typeof json !== "string") this.#report(`expected ${scalarName(type)}`);
    else if (type === ScalarType.BYTES) this.#check(readBase64(json));
    else if (type !== ScalarType.STRING) this.#numberText(type, container, key);
  }

  #number(type: ScalarType, value: number): void {
    const range = rangeOf(type);
    if (range !== undefined) {
      if (!Number.isInteger(value) || value < range.min || value > range.max)
        this.#report(`expected ${range.name}`);
    } else if (type === ScalarType.FLOAT || type === ScalarType.DOUBLE) {
      this.#check({ fault: floatFault(type, value) });
    } else {
      this.#report(`expected ${scalarName(type)}`);
    }
  }

  #numberText(type: ScalarType, container: Container, key: string | number): void {
    const text = at(container, key);
    if (typeof text !== "string") return;
    const read = readScalarText(type, text);
    this.#check(read);
    // protobuf-es reads 64-bit integers with BigInt(), which knows no exponent.
    if ("value" in read && typeof read.value === "bigint") put(container, key, String(read.value));
  }

  #inexactScalar(type: ScalarType, container: Container, key: string | number): void {
    const number = at(container, key);
    if (!(number instanceof InexactNumber)) return;
    put(container, key, number.value);
    const range = rangeOf(type);
    if (range === undefined) {
      this.#number(type, number.value);
      return;
    }
    const integer = toInteger(number.source);
    if (integer === undefined || integer < range.min || integer > range.max)
      this.#report(`expected ${range.name}`);
    else put(container, key, String(integer));
  }

  #any(json: JsonTree | undefined): void {
    if (!isObject(json)) {
      this.#report("expected an object with @type");
      return;
    }
    if (Object.keys(json).length === 0) return;
    const { "@type": url, ...members } = json;
    const desc =
      typeof url === "string" ? this.#registry.getMessage(url.slice(url.lastIndexOf("/") + 1)) : undefined;
    if (desc === undefined) {
      this.#within(keyStep("@type"), () => this.#report("expected the URL of a known type"));
    } else if (WELL_KNOWN.has(desc.typeName) || WRAPPERS.has(desc.typeName)) {
      this.#within("value", () => this.message(desc, json, "value"));
    } else {
      this.#members(desc, members);
      for (const key of Object.keys(json))
        if (key !== "@type" && !Object.hasOwn(members, key)) delete json[key];
      for (const [key, value] of Object.entries(members)) put(json, key, value);
    }
  }

  /** Free JSON takes everything except a number that would come back changed. */
  freeJson(json: JsonTree | undefined): void {
    if (!this.#inexact || typeof json !== "object" || json === null) return;
    if (json instanceof InexactNumber) {
      this.#report("JavaScript would change this number; send it as a string");
    } else if (Array.isArray(json)) {
      for (const [index, item] of json.entries()) this.#within(index, () => this.freeJson(item));
    } else {
      for (const [key, item] of Object.entries(json)) this.#within(keyStep(key), () => this.freeJson(item));
    }
  }

  text(json: JsonTree | undefined, faultOf: (text: string) => string | undefined): void {
    this.#check({ fault: typeof json === "string" ? faultOf(json) : "expected a string" });
  }

  expect(fits: boolean, wanted: string): void {
    if (!fits) this.#report(`expected ${wanted}`);
  }

  #check(read: { readonly fault?: string | undefined } | { readonly value: unknown }): void {
    if ("fault" in read && read.fault !== undefined) this.#report(read.fault);
  }

  /** @param hint - what is added, sought only for a violation that is told */
  #report(description: string, hint: () => string = () => ""): void {
    if (this.violations.length >= MAX_VIOLATIONS) return;
    this.violations.push({ field: renderPath(this.#steps), description: description + hint() });
  }

  #within(step: JsonStep, walk: () => void): void {
    this.#steps.push(step);
    walk();
    this.#steps.pop();
  }
}

type WellKnownWalk = (walk: JsonWalk, json: JsonTree | undefined) => void;

const WELL_KNOWN: ReadonlyMap<string, WellKnownWalk> = new Map<string, WellKnownWalk>([
  ["google.protobuf.Timestamp", (walk, json) => walk.text(json, timestampFault)],
  ["google.protobuf.Duration", (walk, json) => walk.text(json, durationFault)],
  ["google.protobuf.FieldMask", (walk, json) => walk.text(json, fieldMaskFault)],
  ["google.protobuf.Value", (walk, json) => walk.freeJson(json)],
  [
    "google.protobuf.Struct",
    (walk, json) => {
      walk.expect(isObject(json), "an object");
      walk.freeJson(json);
    },
  ],
  [
    "google.protobuf.ListValue",
    (walk, json) => {
      walk.expect(Array.isArray(json), "an array");
      walk.freeJson(json);
    },
  ],
]);

const WRAPPERS: ReadonlyMap<string, ScalarType> = new Map([
  ["google.protobuf.DoubleValue", ScalarType.DOUBLE],
  ["google.protobuf.FloatValue", ScalarType.FLOAT],
  ["google.protobuf.Int64Value", ScalarType.INT64],
  ["google.protobuf.UInt64Value", ScalarType.UINT64],
  ["google.protobuf.Int32Value", ScalarType.INT32],
  ["google.protobuf.UInt32Value", ScalarType.UINT32],
  ["google.protobuf.BoolValue", ScalarType.BOOL],
  ["google.protobuf.StringValue", ScalarType.STRING],
  ["google.protobuf.BytesValue", ScalarType.BYTES],
]);

function scalarName(type: ScalarType): string {
  if (type === ScalarType.BYTES) return "base64";
  if (type === ScalarType.STRING) return "a string";
  return rangeOf(type)?.name ?? (type === ScalarType.BOOL ? "true or false" : "a number");
}

/** A `null` in these is a value; in any other singular field it means that the field is absent. */
function takesNull(field: DescField): boolean {
  return (
    field.message?.typeName === "google.protobuf.Value" ||
    field.enum?.typeName === "google.protobuf.NullValue"
  );
}

function isObject(json: JsonTree | undefined): json is { [key: string]: JsonValue } {
  return (
    typeof json === "object" && json !== null && !Array.isArray(json) && !(json instanceof InexactNumber)
  );
}

function at(container: Container, key: string | number): JsonTree | undefined {
  return (container as Record<string | number, JsonTree>)[key];
}

/** Redefines an own property, so that a key named `__proto__` stays one. */
function put(container: Container, key: string | number, value: JsonTree): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}
