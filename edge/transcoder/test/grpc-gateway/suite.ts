import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type GoFields, type GoValue, GoWord, readTable } from "./go-table.ts";

const MODULE = "github.com/grpc-ecosystem/grpc-gateway/v2";
const VERSION = "v2.32.0";

/** Brings the module's source from the module proxy, or from Go's cache, and says where it is. */
export async function downloadGateway(cwd: string): Promise<string> {
  const asked = ["mod", "download", "-json", `${MODULE}@${VERSION}`];
  const { stdout } = await promisify(execFile)("go", asked, { cwd, timeout: 120_000 });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  return Dir;
}

/** A request to a set of templates. */
export interface Case {
  /** The test that it is from, its row there, and what is asked: the name by which a difference is listed. */
  readonly title: string;
  /** HTTP method and template; every variable holds a text. */
  readonly routes: readonly (readonly [method: string, template: string])[];
  readonly method: string;
  readonly target: string;
  /** The route that it has to reach, with what its variables hold if the suite says so; or the status. */
  readonly expected:
    | { readonly route: number | "any"; readonly variables?: Readonly<Record<string, string>> }
    | number;
}

/** Every row of its tables of templates and paths that says something about `google.api.http`. */
export function casesOf(folder: string): readonly Case[] {
  const pattern = readFileSync(join(folder, "runtime/pattern_test.go"), "utf8");
  const mux = readFileSync(join(folder, "runtime/mux_test.go"), "utf8");
  return [
    ...["TestMatch", "TestMatchStrictDeepWildcard"].flatMap((name) => matches(pattern, name)),
    ...bindings(pattern, "TestMatchWithBinding"),
    ...served(mux, "TestMuxServeHTTP"),
  ];
}

/** Templates that its parser refuses. */
export function badTemplatesOf(folder: string): readonly string[] {
  const source = readFileSync(join(folder, "internal/httprule/parse_test.go"), "utf8");
  return readTable(source, "TestParseSegmentsWithErrors").map(({ tokens }) => `/${texts(tokens).join("")}`);
}

function matches(source: string, test: string): readonly Case[] {
  return readTable(source, test).flatMap((row, index) => {
    const routes = [["GET", templateOf(row)]] as const;
    const asked = (path: string, expected: Case["expected"]): Case => {
      const target = `/${path}`;
      return {
        title: `${test} ${index}: ${routes[0][1]} ${target}`,
        routes,
        method: "GET",
        target,
        expected,
      };
    };
    return [
      ...texts(row.match).map((path) => asked(path, { route: 0 })),
      ...texts(row.notMatch).map((path) => asked(path, 404)),
    ];
  });
}

function bindings(source: string, test: string): readonly Case[] {
  return readTable(source, test)
    .filter(({ mode }) => mode === undefined || sourceOf(mode) === "UnescapingModeAllExceptReserved")
    .map((row, index) => {
      const template = templateOf(row);
      const target = `/${textOf(row.path)}`;
      const variables = row.want instanceof GoWord ? {} : (row.want as Readonly<Record<string, string>>);
      const expected = { route: 0, variables };
      return {
        ...{ title: `${test} ${index}: ${template} ${target}`, target, expected },
        ...{ routes: [["GET", template]], method: "GET" },
      };
    });
}

/** Rows whose headers change the method, or that are about another way to unescape, are about the gateway alone. */
function served(source: string, test: string): readonly Case[] {
  return readTable(source, test).flatMap((row, index): Case[] => {
    const form = JSON.stringify(row.headers ?? {}).includes("x-www-form-urlencoded");
    const mode = row.unescapingMode === undefined ? "" : sourceOf(row.unescapingMode);
    const own = form || (mode !== "" && mode !== "runtime.UnescapingModeAllExceptReserved");
    if (own || row.reqRawPath !== undefined) return [];
    const patterns = (row.patterns instanceof GoWord ? [] : (row.patterns ?? [])) as readonly GoFields[];
    const routes = patterns.map((each) => [textOf(each.method), templateOf(each)] as const);
    const method = textOf(row.reqMethod);
    const target = textOf(row.reqPath);
    const named = routes.findIndex(([verb, template]) => `${verb} ${template}` === textOf(row.respContent));
    const status = sourceOf(row.respStatus ?? "");
    const expected = STATUS[status] ?? { route: named < 0 ? ("any" as const) : named };
    return [{ title: `${test} ${index}: ${method} ${target}`, routes, method, target, expected }];
  });
}

const STATUS: Readonly<Record<string, number>> = {
  "http.StatusNotFound": 404,
  "http.StatusBadRequest": 400,
  "http.StatusNotImplemented": 501,
};

/** The template that a compiled one was made from. */
function templateOf({ ops, pool, verb }: GoFields): string {
  const names = texts(pool);
  const stack: string[] = [];
  const words = (Array.isArray(ops) ? (ops as readonly GoValue[]) : []).map(sourceOf);
  for (let at = 0; at < words.length; at += 2) {
    const operand = Number(words[at + 1]);
    const op = /Op(\w+)/.exec(words[at] ?? "")?.[1];
    if (op === "Push") stack.push("*");
    else if (op === "PushM") stack.push("**");
    else if (op === "LitPush") stack.push(names[operand] ?? "");
    else if (op === "ConcatN") stack.push(stack.splice(-operand).join("/"));
    else if (op === "Capture") stack.push(`{${names[operand]}=${stack.pop()}}`);
  }
  return `/${stack.join("/")}${verb === undefined ? "" : `:${textOf(verb)}`}`;
}

const texts = (value: GoValue | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
const textOf = (value: GoValue | undefined): string => (typeof value === "string" ? value : "");
const sourceOf = (value: GoValue): string => (value instanceof GoWord ? value.source : "");
