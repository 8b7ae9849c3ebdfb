/** The rules over the REST API: the routes of each RPC, and what of a message travels where. */
import { http as httpOption } from "../../gen/google/api/annotations_pb.js";
import type { HttpRule } from "../../gen/google/api/http_pb.js";
import { patternOf, type Rpc } from "../image/contract-image.ts";
import { type DiffRule, type Finding, optionPosition } from "./finding.ts";
import { rpcPairs } from "./rpc-rules.ts";

type Found = Omit<Finding, "rule">;

/** One way to reach an RPC over HTTP. */
interface Binding {
  /** Method and template, such as `GET /v1/jobs/{id}`. */
  readonly route: string;
  readonly body: string;
  readonly responseBody: string;
}

function bindingsOf({ http }: Rpc): readonly Binding[] {
  return http === undefined ? [] : [http, ...http.additionalBindings].map(bindingOf);
}

function bindingOf(rule: HttpRule): Binding {
  const { method = "", template = "" } = patternOf(rule) ?? {};
  return { route: `${method} ${template}`, body: rule.body, responseBody: rule.responseBody };
}

function routeRule(
  name: string,
  holds: string,
  look: (was: readonly Binding[], is: readonly Binding[]) => Iterable<{ breaks: string; instead: string }>,
): DiffRule {
  return {
    name,
    holds,
    *check(before, after): Generator<Found> {
      for (const [was, is] of rpcPairs(before, after)) {
        const found = look(bindingsOf(was), bindingsOf(is));
        for (const one of found) yield { position: optionPosition(is.method, httpOption), ...one };
      }
    },
  };
}

const named = (value: string): string =>
  value === "" ? "nothing" : value === "*" ? "the whole message" : value;

/** Each binding as it was with the one of the same route as it is. */
function* samePairs(was: readonly Binding[], is: readonly Binding[]): Generator<readonly [Binding, Binding]> {
  for (const before of was) {
    const now = is.find(({ route }) => route === before.route);
    if (now !== undefined) yield [before, now];
  }
}

export const ROUTE_RULES: readonly DiffRule[] = [
  routeRule("route-removed", "a route that is served stays served, name by name", function* (was, is) {
    for (const { route } of was) {
      if (is.some((now) => now.route === route)) continue;
      const now = is[0]?.route;
      yield {
        breaks: `${route} is gone for every client of the edge${now === undefined ? "" : `; it is ${now} now`}`,
        instead: "keep it, and add the new one under additional_bindings",
      };
    }
  }),
  routeRule(
    "binding-order",
    "the first binding that fits is the one that clients write",
    function* (was, is) {
      const kept = was.map(({ route }) => route).filter((route) => is.some((now) => now.route === route));
      const order = is.map(({ route }) => route).filter((route) => kept.includes(route));
      const at = kept.findIndex((route, index) => order[index] !== route);
      if (at < 0) return;
      yield {
        breaks: `clients that are made from the contract write ${order[at]} where they wrote ${kept[at]}`,
        instead: "keep the order, and add at its end",
      };
    },
  ),
  routeRule("body-changed", "what a body holds stays where it was", function* (was, is) {
    for (const [before, now] of samePairs(was, is)) {
      if (before.body === now.body) continue;
      yield {
        breaks: `clients of ${now.route} send ${named(before.body)} as body, and ${named(now.body)} is read`,
        instead: "keep the body, and add another route for another one",
      };
    }
  }),
  routeRule("response-body-changed", "what an answer holds stays where it was", function* (was, is) {
    for (const [before, now] of samePairs(was, is)) {
      if (before.responseBody === now.responseBody) continue;
      const [then, instead] = [before.responseBody || "*", now.responseBody || "*"].map(named);
      yield {
        breaks: `clients of ${now.route} expect ${then} in the answer and get ${instead}`,
        instead: "keep response_body, and add another route for another answer",
      };
    }
  }),
];
