import { describe, expect, test } from "@jest/globals";
import { createTranscoder, TranscoderConfigError } from "../src/index.ts";
import { type Rpc, serviceWith } from "./service-factory.ts";
import { registry, serviceNamed } from "./transcoder-fixture.ts";

function load(...rpcs: readonly Rpc[]) {
  const call = () => {
    throw new Error("not called");
  };
  return createTranscoder({ registry, services: [serviceWith(...rpcs)], call });
}

function refusal(...rpcs: readonly Rpc[]): TranscoderConfigError {
  try {
    load(...rpcs);
  } catch (error) {
    if (error instanceof TranscoderConfigError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("P2: a rule that cannot be served is refused when the transcoder is created", () => {
  const bad: readonly (readonly [what: string, rpc: Rpc, reason: RegExp, column?: number])[] = [
    ["a template outside the grammar", { rule: { get: "/v1/{name" } }, /ends too early/, 9],
    ["an empty template", { rule: { get: "" } }, /expected "\/"/, 0],
    ["an unknown path field", { rule: { get: "/v1/{nome}" } }, /no field nome/, 5],
    ["an unknown nested path field", { rule: { get: "/v1/{author.nome}" } }, /no field nome/, 5],
    ["a path field by its JSON name", { rule: { get: "/v1/{author.givenName}" } }, /no field givenName/, 5],
    ["a path field below a scalar", { rule: { get: "/v1/{name.x}" } }, /no fields of its own/, 5],
    ["a path field below a list", { rule: { get: "/v1/{tags.x}" } }, /no fields of its own/, 5],
    ["a path field below a map", { rule: { get: "/v1/{labels.key}" } }, /no fields of its own/, 5],
    ["a repeated path field", { rule: { get: "/v1/{tags}" } }, /is a list/, 5],
    ["a map as path field", { rule: { get: "/v1/{labels}" } }, /is a map/, 5],
    ["a message as path field", { rule: { get: "/v1/{author}" } }, /is a message/, 5],
    ["a timestamp as path field", { rule: { get: "/v1/{create_time}" } }, /is a message/, 5],
    ["a field inside a timestamp", { rule: { get: "/v1/{create_time.seconds}" } }, /no fields of its own/, 5],
    ["an unknown body", { rule: { post: "/v1/a", body: "bok" } }, /no field bok/],
    ["a nested body", { rule: { post: "/v1/a", body: "author.given_name" } }, /not at the top/],
    ["an unknown response body", { rule: { get: "/v1/a", responseBody: "bok" } }, /no field bok/],
    [
      "a nested response body",
      { rule: { get: "/v1/a", responseBody: "author.given_name" } },
      /not at the top/,
    ],
    ["a rule without a pattern", { rule: { body: "*" } }, /no HTTP method/],
    ["a custom method without a name", { rule: { custom: { path: "/v1/a" } } }, /not an HTTP method/],
    [
      "a custom method that is no token",
      { rule: { custom: { kind: "A B", path: "/v1/a" } } },
      /not an HTTP method/,
    ],
    [
      "a rule on a bidirectional stream",
      { rule: { post: "/v1/a", body: "*" }, streams: true },
      /bidirectional/,
    ],
    [
      "additional bindings inside an additional binding",
      {
        rule: {
          get: "/v1/a",
          additionalBindings: [{ get: "/v1/b", additionalBindings: [{ get: "/v1/c" }] }],
        },
      },
      /additional binding/,
    ],
    [
      "a fault in an additional binding",
      { rule: { get: "/v1/a", additionalBindings: [{ get: "/v1/{x}" }] } },
      /no field x/,
      5,
    ],
    [
      "the same path twice in one rule",
      { rule: { get: "/v1/a", additionalBindings: [{ get: "/v1/a" }] } },
      /has the shape of/,
    ],
  ];
  test.each(bad)("%s", (_what, rpc, reason, ...[column]) => {
    const error = refusal(rpc);
    expect(error.message).toMatch(/transcoder\.bad\.Bad\.Rpc0/);
    expect(error.message).toMatch(reason);
    expect(error.column).toBe(column);
  });

  const twins: readonly (readonly [first: string, second: string])[] = [
    ["/v1/{name}", "/v1/{title}"],
    ["/v1/{name}", "/v1/*"],
    ["/v1/{name=a/*}", "/v1/a/{title}"],
    ["/v1/{name=**}:go", "/v1/**:go"],
    ["/v1/%41", "/v1/A"],
  ];
  test.each(twins)("two RPCs with the shapes %s and %s", (first, second) => {
    const error = refusal({ rule: { get: first } }, { rule: { get: second } });
    expect(error.message).toContain("transcoder.bad.Bad.Rpc1");
    expect(error.message).toContain("transcoder.bad.Bad.Rpc0");
  });
});

test("P2: the same shape with another HTTP method or verb is not a duplicate", () => {
  const rules = [
    { get: "/v1/a" },
    { post: "/v1/a" },
    { get: "/v1/a:b" },
    { custom: { kind: "*", path: "/v1/a" } },
  ];
  expect(load(...rules.map((rule) => ({ rule }))).routes).toHaveLength(4);
});

test("P2: only the services that are named are checked", () => {
  const call = () => {
    throw new Error("not called");
  };
  const { routes } = createTranscoder({
    registry,
    services: [serviceNamed("transcoder.test.v1.Precedence")],
    call,
  });
  expect(new Set(routes.map(({ method }) => method.parent.name))).toEqual(new Set(["Precedence"]));
});
