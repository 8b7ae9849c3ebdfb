import {
  type DescExtension,
  type DescFile,
  type DescMethod,
  getOption,
  hasOption,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";

/**
 * A `google.api.HttpRule` as ProtoJSON shows it; the same whichever copy of `google/api/http.proto` it was
 * made with.
 */
export interface HttpRule {
  readonly get?: string;
  readonly put?: string;
  readonly post?: string;
  readonly delete?: string;
  readonly patch?: string;
  readonly custom?: { readonly kind?: string; readonly path?: string };
  readonly body?: string;
  readonly responseBody?: string;
  readonly additionalBindings?: readonly HttpRule[];
}

const EXTENSION = "google.api.http";

/**
 * Finds the extension `google.api.http`: in the registry, or else among the files that the RPC's own file
 * imports.
 */
export function findHttpExtension(
  registry: Registry | undefined,
  method?: DescMethod,
): DescExtension | undefined {
  return registry?.getExtension(EXTENSION) ?? (method && searchImports(method.parent.file, new Set()));
}

function searchImports(file: DescFile, seen: Set<DescFile>): DescExtension | undefined {
  if (seen.has(file)) return undefined;
  seen.add(file);
  for (const extension of file.extensions) if (extension.typeName === EXTENSION) return extension;
  for (const dependency of file.dependencies) {
    const found = searchImports(dependency, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Reads the rule of an RPC; undefined when it has none. */
export function readHttpRule(method: DescMethod, extension: DescExtension): HttpRule | undefined {
  if (extension.message === undefined || extension.fieldKind !== "message") return undefined;
  if (!hasOption(method, extension)) return undefined;
  return toJson(extension.message, getOption(method, extension) as Message) as HttpRule;
}

/** The HTTP method and path of a rule; undefined when it names none. */
export function patternOf(
  rule: HttpRule,
): { readonly httpMethod: string; readonly path: string } | undefined {
  if (rule.get !== undefined) return { httpMethod: "GET", path: rule.get };
  if (rule.put !== undefined) return { httpMethod: "PUT", path: rule.put };
  if (rule.post !== undefined) return { httpMethod: "POST", path: rule.post };
  if (rule.delete !== undefined) return { httpMethod: "DELETE", path: rule.delete };
  if (rule.patch !== undefined) return { httpMethod: "PATCH", path: rule.patch };
  if (rule.custom === undefined) return undefined;
  return { httpMethod: rule.custom.kind ?? "", path: rule.custom.path ?? "" };
}
