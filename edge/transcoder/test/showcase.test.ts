import { readFileSync } from "node:fs";
import { create, equals, fromJson, type Message, toJson } from "@bufbuild/protobuf";
import { afterAll, describe, expect, test } from "@jest/globals";
import { encodeRequest } from "../src/index.ts";
import { bytesOf, harness, methodNamed, readBody, registry } from "./transcoder-fixture.ts";

const PACKAGE = "google.showcase.v1beta1";

interface SuiteGroup {
  readonly name: string;
  readonly rpcs: readonly string[];
  readonly requests: readonly (Message & { readonly name: string; readonly intendedBindingUri?: string })[];
}

function suite(): readonly SuiteGroup[] {
  const desc = registry.getMessage(`${PACKAGE}.ComplianceSuite`);
  if (desc === undefined) throw new Error("no ComplianceSuite");
  const text = readFileSync(new URL("showcase/compliance_suite.json", import.meta.url), "utf8");
  return (fromJson(desc, JSON.parse(text)) as Message & { group: readonly SuiteGroup[] }).group;
}

const pairs = suite().flatMap(({ name, rpcs, requests }) =>
  rpcs.flatMap((rpc) =>
    requests.map((request) => ({ title: `${rpc}: ${name}, ${request.name}`, rpc, request })),
  ),
);

let passed = 0;
afterAll(() => void process.stdout.write(`gapic-showcase: ${passed} of ${pairs.length} pairs pass\n`));

test("C1: gapic-showcase's suite has 53 pairs of a request and an RPC", () => {
  expect(pairs).toHaveLength(53);
});

describe("C1: a request of gapic-showcase reaches its RPC unchanged, and so does the answer", () => {
  test.each(pairs)("$title", async ({ rpc, request }) => {
    const method = methodNamed(`${PACKAGE}.${rpc}`);
    const { transcoder, seen } = harness((call) => [
      create(method.output, { request: call.requests[0] } as object as Record<string, unknown>),
    ]);
    const encoded = encodeRequest(method, request, { registry });
    const response = await transcoder.handle({
      ...encoded,
      body: bytesOf(...(encoded.body ? [encoded.body] : [])),
    });
    const text = await readBody(response.body);
    expect({ status: response.status, text: response.status === 200 ? "" : text }).toEqual({
      status: 200,
      text: "",
    });
    const [received] = seen[0]?.requests ?? [];
    if (received === undefined) throw new Error("no request");
    expect(seen[0]?.method).toBe(method);
    expect(equals(method.input, received, request)).toBe(true);
    const answer = fromJson(method.output, JSON.parse(text));
    const expected = create(method.output, { request } as object as Record<string, unknown>);
    expect(toJson(method.output, answer)).toEqual(toJson(method.output, expected));
    if (request.intendedBindingUri !== undefined) {
      const verb = request.intendedBindingUri.slice(request.intendedBindingUri.lastIndexOf(":"));
      expect(encoded.target.replace(/\?.*/, "")).toMatch(new RegExp(`${verb}$`));
    }
    passed += 1;
  });
});
