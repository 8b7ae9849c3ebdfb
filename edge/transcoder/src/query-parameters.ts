import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { type Assignment, readText } from "./assignment.ts";
import type { FieldViolation } from "./error-details.ts";
import { type FieldPath, isScalarWellKnownType, resolveFieldPath } from "./field-path.ts";
import { MAX_VIOLATIONS, type TranscoderLimits } from "./limits.ts";
import type { Route } from "./route.ts";

/** The parameters of a query in order, decoded: `+` is a space. */
type Parameter = readonly [name: string, value: string];

/** What a URL has given so far, so that nothing is given twice. */
export interface Given {
  readonly assignments: Assignment[];
  readonly violations: FieldViolation[];
  /** Fields by their path, and oneofs by the path of their message. */
  readonly taken: Map<string, string>;
}

/** Binds the query parameters of a request to the fields that neither the path nor the body gives. */
export class QueryBinder {
  readonly #limits: TranscoderLimits;
  readonly #ignored: ReadonlySet<string>;

  constructor(limits: TranscoderLimits, ignored: readonly string[]) {
    this.#limits = limits;
    this.#ignored = new Set(ignored);
  }

  bind(route: Route, query: string, given: Given): void {
    if (query === "") return;
    const pairs = query.split("&").filter((pair) => pair !== "");
    if (pairs.length > this.#limits.queryParameters) {
      const description = `more than ${this.#limits.queryParameters} query parameters`;
      given.violations.push({ field: "", description });
      return;
    }
    for (const pair of pairs) {
      if (given.violations.length >= MAX_VIOLATIONS) return;
      const parameter = decodePair(pair);
      if (parameter === undefined) {
        given.violations.push({
          field: "",
          description: "the query has a percent-encoding that is not valid UTF-8",
        });
      } else {
        this.#bindParameter(route, parameter, given);
      }
    }
  }

  #bindParameter(route: Route, [name, text]: Parameter, given: Given): void {
    const report = (field: string, description: string) => void given.violations.push({ field, description });
    const names = name.split(".");
    const path =
      names.length > this.#limits.queryDepth
        ? { fault: `more than ${this.#limits.queryDepth} names` }
        : resolveFieldPath(route.method.input, names, "both");
    if ("fault" in path) {
      if (!this.#ignored.has(name)) report(name, path.fault);
      return;
    }
    const refused = refusal(route, path) ?? take(path, given.taken, "the query");
    if (refused !== undefined) {
      if (!this.#ignored.has(name)) report(path.jsonPath, refused);
      return;
    }
    const read = readText(path.last, text);
    if ("fault" in read) report(path.jsonPath, read.fault);
    else given.assignments.push({ path, value: read.value });
  }
}

function decodePair(pair: string): Parameter | undefined {
  const equals = pair.indexOf("=");
  try {
    const name = decodePart(equals < 0 ? pair : pair.slice(0, equals));
    return [name, equals < 0 ? "" : decodePart(pair.slice(equals + 1))];
  } catch {
    return undefined;
  }
}

function decodePart(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  return spaced.includes("%") ? decodeURIComponent(spaced) : spaced;
}

/** Why a field cannot come from the query at all; undefined when it can. */
function refusal({ bodyTarget }: Route, { fields, last }: FieldPath): string | undefined {
  if (bodyTarget.kind === "message") return "belongs into the body";
  if (bodyTarget.kind === "field" && bodyTarget.field === fields[0]) return "belongs into the body";
  if (last.fieldKind === "map") return "a map cannot be given in the query";
  const { message } = last;
  if (message === undefined || isScalarWellKnownType(message)) return undefined;
  return last.fieldKind === "list" ? "messages cannot be given in the query" : needsName(message);
}

function needsName(message: DescMessage): string {
  const [example] = message.fields;
  const hint = example === undefined ? "" : `, as .${example.jsonName}`;
  return `is a message; give its fields one by one${hint}`;
}

/**
 * Notes that a field is given, and the oneofs on its path with it.
 *
 * @param by - who gives it, for the message of a later conflict
 * @returns why it cannot be given here; undefined when it can
 */
export function take(path: FieldPath, taken: Map<string, string>, by: string): string | undefined {
  let prefix = "";
  for (const field of path.fields) {
    const oneof = oneofKey(prefix, field);
    const other = oneof === undefined ? undefined : taken.get(oneof);
    if (other !== undefined && other !== field.jsonName)
      return `cannot be given together with ${prefix}${other}`;
    if (oneof !== undefined) taken.set(oneof, field.jsonName);
    prefix += `${field.jsonName}.`;
  }
  const giver = taken.get(path.jsonPath);
  if (giver === undefined) taken.set(path.jsonPath, by);
  else if (giver !== by || path.last.fieldKind !== "list") {
    return giver === by ? "is given twice" : `is given by ${giver} already`;
  }
  return undefined;
}

/** Key of a field's oneof in `taken`; a space keeps it apart from every path. */
function oneofKey(prefix: string, field: DescField): string | undefined {
  return field.oneof === undefined ? undefined : `${prefix} ${field.oneof.name}`;
}
