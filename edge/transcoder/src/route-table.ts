import { TranscoderConfigError } from "./config-error.ts";
import { methodNotAllowed, routeNotFound } from "./fault.ts";
import type { RequestPath } from "./request-target.ts";
import type { Route } from "./route.ts";

/** The route of a request, with the path segments that its variables capture (without the verb). */
export interface RouteMatch {
  readonly route: Route;
  /** Still percent-encoded. */
  readonly segments: readonly string[];
}

/** By HTTP method, `*` for any. */
type Methods = Map<string, Route>;

/** One position in the templates. Ends are kept by verb, `""` for none. */
interface Node {
  readonly literals: Map<string, Node>;
  one: Node | undefined;
  readonly ends: Map<string, Methods>;
  readonly restEnds: Map<string, Methods>;
}

const newNode = (): Node => ({ literals: new Map(), one: undefined, ends: new Map(), restEnds: new Map() });

/**
 * Finds routes by path and method.
 *
 * Among the templates that fit, one with a verb goes first, then from the left a literal before `*` before
 * `**`, then a named HTTP method before `*`. The order of declaration plays no part, and a more particular
 * template that lacks the HTTP method does not hide a more general one that has it.
 */
export class RouteTable {
  readonly #root = newNode();
  readonly #verbs = new Set<string>();

  /** @throws TranscoderConfigError when two routes have the same HTTP method and the same shape of path */
  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#insert(route);
  }

  /**
   * @throws ConnectError 404 when no template fits the path, 405 with `allow` when none of those that fit has
   * the method
   */
  match(method: string, path: RequestPath): RouteMatch {
    const allowed = new Set<string>();
    const { decoded, raw, verb } = path;
    if (verb !== undefined && this.#verbs.has(verb.name)) {
      const segments = [...decoded.slice(0, -1), verb.lastDecoded];
      const route = find({ segments, verb: verb.name, method, allowed }, this.#root, 0);
      if (route !== undefined) return { route, segments: [...raw.slice(0, -1), verb.lastRaw] };
    }
    const route = find({ segments: decoded, verb: "", method, allowed }, this.#root, 0);
    if (route !== undefined) return { route, segments: raw };
    if (allowed.size === 0) throw routeNotFound();
    throw methodNotAllowed(method, [...allowed].toSorted());
  }

  #insert(route: Route): void {
    let node = this.#root;
    let rest = false;
    for (const segment of route.path.segments) {
      if (segment.kind === "rest") rest = true;
      else node = segment.kind === "one" ? oneBelow(node) : literalBelow(node, segment.text);
    }
    const { verb } = route.path;
    if (verb !== "") this.#verbs.add(verb);
    const ends = rest ? node.restEnds : node.ends;
    const methods = ends.get(verb) ?? new Map<string, Route>();
    ends.set(verb, methods);
    const other = methods.get(route.httpMethod);
    if (other !== undefined) throw duplicate(route, other);
    methods.set(route.httpMethod, route);
  }
}

interface Search {
  readonly segments: readonly string[];
  readonly verb: string;
  readonly method: string;
  /** Collects the methods of the templates that fit. */
  readonly allowed: Set<string>;
}

/**
 * Depth first with backtracking; each node is visited at most once, so the cost is bounded by the templates.
 */
function find(search: Search, node: Node, index: number): Route | undefined {
  const segment = search.segments[index];
  if (segment === undefined) {
    const route = pick(search, node.ends.get(search.verb));
    if (route !== undefined) return route;
  } else {
    const literal = node.literals.get(segment);
    const route =
      (literal && find(search, literal, index + 1)) ?? (node.one && find(search, node.one, index + 1));
    if (route !== undefined) return route;
  }
  return pick(search, node.restEnds.get(search.verb));
}

function pick(search: Search, methods: Methods | undefined): Route | undefined {
  if (methods === undefined) return undefined;
  const route = methods.get(search.method) ?? methods.get("*");
  if (route === undefined) for (const method of methods.keys()) search.allowed.add(method);
  return route;
}

function oneBelow(node: Node): Node {
  node.one ??= newNode();
  return node.one;
}

function literalBelow(node: Node, text: string): Node {
  const below = node.literals.get(text) ?? newNode();
  node.literals.set(text, below);
  return below;
}

function duplicate(route: Route, other: Route): TranscoderConfigError {
  const rpc = `${route.method.parent.typeName}.${route.method.name}`;
  const otherRpc = `${other.method.parent.typeName}.${other.method.name}`;
  const shape = `${route.httpMethod} ${route.template}`;
  return new TranscoderConfigError(rpc, `${shape} has the shape of ${other.template} of ${otherRpc}`);
}
