import type { DescExtension, DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { TranscoderConfigError } from "./config-error.ts";
import { type FieldPath, HTTP_BODY_TYPE, resolveFieldPath } from "./field-path.ts";
import { type HttpRule, patternOf, readHttpRule } from "./http-rule.ts";
import { type PathTemplate, type PathVariable, parsePathTemplate, TemplateFault } from "./path-template.ts";
import type { TranscoderRoute } from "./seam.ts";

/** Where the request body goes. */
export type BodyTarget =
  | { readonly kind: "none" }
  | { readonly kind: "message" }
  | { readonly kind: "field"; readonly field: DescField };

export interface BoundVariable extends PathVariable {
  readonly path: FieldPath;
}

/** A binding of an RPC that was checked against its messages. */
export interface Route extends TranscoderRoute {
  readonly path: PathTemplate;
  readonly variables: readonly BoundVariable[];
  readonly bodyTarget: BodyTarget;
  /** Undefined: the whole response message. */
  readonly responseField: DescField | undefined;
  /** The request body is `google.api.HttpBody`: bytes, never parsed. */
  readonly rawRequest: boolean;
  /** The response body is `google.api.HttpBody`. */
  readonly rawResponse: boolean;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Makes the routes of one RPC: its rule and its additional bindings, in order; none when it has no rule.
 *
 * @throws TranscoderConfigError for the first thing that cannot be served
 */
export function routesOf(method: DescMethod, extension: DescExtension): readonly Route[] {
  const rule = readHttpRule(method, extension);
  if (rule === undefined) return [];
  const refuse = refusalFor(method);
  if (method.methodKind === "bidi_streaming") {
    throw refuse("a bidirectional stream cannot have an HTTP rule (AIP-127)");
  }
  const additional = rule.additionalBindings ?? [];
  if (additional.some((binding) => (binding.additionalBindings ?? []).length > 0)) {
    throw refuse("an additional binding cannot have additional bindings");
  }
  return [rule, ...additional].map((binding) => bindRoute(method, binding));
}

type Refusal = (reason: string, column?: number) => TranscoderConfigError;

const refusalFor =
  (method: DescMethod): Refusal =>
  (reason, column) =>
    new TranscoderConfigError(`${method.parent.typeName}.${method.name}`, reason, column);

function bindRoute(method: DescMethod, rule: HttpRule): Route {
  const refuse = refusalFor(method);
  const pattern = patternOf(rule);
  if (pattern === undefined) throw refuse("the rule has no HTTP method and path");
  if (!TOKEN.test(pattern.httpMethod)) throw refuse(`"${pattern.httpMethod}" is not an HTTP method`);
  const path = parseTemplate(pattern.path, refuse);
  const bodyTarget = bodyTargetOf(method, rule.body ?? "", refuse);
  const responseField = topLevelField(method.output, rule.responseBody ?? "", refuse);
  const bodyMessage = bodyTarget.kind === "message" ? method.input : bodyFieldMessage(bodyTarget);
  const responseMessage = responseField === undefined ? method.output : singularMessage(responseField);
  return {
    ...{ method, httpMethod: pattern.httpMethod, template: pattern.path },
    ...{ body: rule.body ?? "", responseBody: rule.responseBody ?? "" },
    ...{ path, bodyTarget, responseField },
    variables: path.variables.map((variable) => bindVariable(method, variable, refuse)),
    rawRequest: bodyMessage?.typeName === HTTP_BODY_TYPE,
    rawResponse: responseMessage?.typeName === HTTP_BODY_TYPE,
  };
}

function parseTemplate(template: string, refuse: Refusal): PathTemplate {
  try {
    return parsePathTemplate(template);
  } catch (error) {
    if (error instanceof TemplateFault) throw refuse(`${error.message} in "${template}"`, error.column);
    throw error;
  }
}

function bindVariable(method: DescMethod, variable: PathVariable, refuse: Refusal): BoundVariable {
  const path = resolveFieldPath(method.input, variable.fieldPath.split("."), "proto");
  if ("fault" in path) throw refuse(path.fault, variable.column);
  const { last } = path;
  if (last.fieldKind !== "scalar" && last.fieldKind !== "enum") {
    const what = last.fieldKind === "message" ? "a message" : `a ${last.fieldKind}`;
    throw refuse(
      `the path variable ${variable.fieldPath} is ${what}, not a singular primitive`,
      variable.column,
    );
  }
  return { ...variable, path };
}

function bodyTargetOf(method: DescMethod, body: string, refuse: Refusal): BodyTarget {
  if (body === "") return { kind: "none" };
  if (body === "*") return { kind: "message" };
  const field = topLevelField(method.input, body, refuse);
  return field === undefined ? { kind: "none" } : { kind: "field", field };
}

function topLevelField(message: DescMessage, name: string, refuse: Refusal): DescField | undefined {
  if (name === "") return undefined;
  const field = message.fields.find((candidate) => candidate.name === name);
  if (field !== undefined) return field;
  throw refuse(
    name.includes(".")
      ? `the body field ${name} is not at the top of ${message.typeName}`
      : `there is no field ${name} in ${message.typeName} for the body`,
  );
}

function bodyFieldMessage(target: BodyTarget) {
  return target.kind === "field" ? singularMessage(target.field) : undefined;
}

function singularMessage(field: DescField) {
  return field.fieldKind === "message" ? field.message : undefined;
}
