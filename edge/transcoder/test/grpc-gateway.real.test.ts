import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createTranscoder, TranscoderConfigError } from "../src/index.ts";
import { parsePathTemplate, TemplateFault } from "../src/path-template.ts";
import { badTemplatesOf, type Case, casesOf, downloadGateway } from "./grpc-gateway/suite.ts";
import { serviceWith } from "./service-factory.ts";
import { bytesOf, message, readBody, registry } from "./transcoder-fixture.ts";

/** Where another answer is ours, by the row of the surface that says so. */
const CHOICES: readonly (readonly [row: string, title: RegExp, ours: string])[] = [
  ["P1: a template has a segment", /: \/ \//, "refused"],
  ["P1: a verb has no colon", /:verb:subverb$/, "refused"],
  ["D4: the wrong method is 405", /^TestMuxServeHTTP \d+: (?:DELETE|POST) /, "405"],
  ["D6: `**` takes no segment", /^TestMatchStrictDeepWildcard \d+: \S+\*\*\S* \S+$/, "route 0"],
  ["P3: no segment is empty", /^TestMatchStrictDeepWildcard \d+: \S+ \/v3\/files\/(?::get)?$/, "404"],
  ["D7: `**` is the last segment", /^\w+ \d+: \S*\*\*[^}:\s]*\/\S* |^\w+ \d+: \S*\*\*\}\/\S* /, "refused"],
];

let bed: string;
let folder: string;
beforeAll(async () => {
  bed = mkdtempSync(join(tmpdir(), "transcoder-gateway-"));
  folder = await downloadGateway(bed);
}, 150_000);
afterAll(() => rmSync(bed, { recursive: true, force: true }));

/** The fields of the request that stand for the variables of a suite that has no protos. */
const FIELDS = ["x", "y"];

function variablesOf(template: string): readonly string[] {
  return [...template.matchAll(/\{(\w+)/g)].map(([, name = ""]) => name);
}

/** What we answer: the route with what its variables hold, a status, or that the rule was refused. */
async function answerOf({ routes, method, target }: Case) {
  const rpcs = routes.map(([kind, template]) => ({
    input: "Captured",
    rule: {
      custom: {
        kind,
        path: variablesOf(template).reduce(
          (path, name, at) => path.replace(`{${name}`, `{${FIELDS[at]}`),
          template,
        ),
      },
    },
  }));
  try {
    const transcoder = createTranscoder({
      registry,
      services: [serviceWith(...rpcs)],
      call: async function* call({ name }, requests) {
        for await (const { x, y } of requests as AsyncIterable<{ x?: string; y?: string }>) {
          yield message("transcoder.test.v1.Book", { title: name, tags: [x ?? "", y ?? ""] });
        }
      },
    });
    const { status, body } = await transcoder.handle({ method, target, headers: {}, body: bytesOf() });
    if (status !== 200) return { said: String(status), values: [] };
    const { title, tags } = JSON.parse(await readBody(body)) as { title: string; tags: readonly string[] };
    return { said: title.replace("Rpc", "route "), values: tags };
  } catch (error) {
    if (error instanceof TranscoderConfigError) return { said: "refused", values: [] };
    throw error;
  }
}

async function outcomeOf(each: Case): Promise<string> {
  const { said, values } = await answerOf(each);
  const { expected, routes } = each;
  if (typeof expected === "number") return said === String(expected) ? "agrees" : said;
  if (said !== `route ${expected.route}` && !(expected.route === "any" && said.startsWith("route")))
    return said;
  const names = variablesOf(routes[Number(expected.route)]?.[1] ?? "");
  const wrong = Object.entries(expected.variables ?? {}).filter(
    ([name, value]) => values[names.indexOf(name)] !== value,
  );
  return wrong.length === 0 ? "agrees" : `${said} with ${JSON.stringify(values)}`;
}

test("P3, P4, P5, P6: grpc-gateway's tables of paths are answered as there, or as a choice of ours says", async () => {
  const counts = new Map<string, number>();
  const unexplained: string[] = [];
  for (const each of casesOf(folder)) {
    const outcome = await outcomeOf(each);
    const choice = CHOICES.find(([, title, ours]) => title.test(each.title) && ours === outcome)?.[0];
    const counted = outcome === "agrees" ? outcome : choice;
    if (counted === undefined) unexplained.push(`${each.title}: ${outcome}`);
    else counts.set(counted, (counts.get(counted) ?? 0) + 1);
  }
  expect(unexplained).toEqual([]);
  expect([...counts.keys()].toSorted()).toEqual(["agrees", ...CHOICES.map(([row]) => row)].toSorted());
  expect(counts.get("agrees")).toBeGreaterThan(70);
  const figures = [...counts].map(([outcome, count]) => `${count} ${outcome}`);
  process.stdout.write(`grpc-gateway's paths: ${figures.join(", ")}\n`);
}, 30_000);

test("P1: every template that grpc-gateway's parser refuses is refused", () => {
  // Two tokens of theirs without a slash between are one literal as soon as they are text.
  const bad = badTemplatesOf(folder).filter((template) => template !== "/v1endpoint");
  expect(bad.length).toBeGreaterThan(10);
  const taken = bad.filter((template) => {
    try {
      parsePathTemplate(template);
      return true;
    } catch (error) {
      return !(error instanceof TemplateFault);
    }
  });
  expect(taken).toEqual([]);
  process.stdout.write(`grpc-gateway's bad templates: ${bad.length} of ${bad.length} refused\n`);
});
