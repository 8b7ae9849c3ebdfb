import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { REASONS_OF_EVERY_RPC } from "@orrery/mesh/fault/declared";
import { REASONS } from "@orrery/mesh/fault/fault";
import { BODY_REASONS, SHARED_REASONS } from "../src/openapi/edge-behaviour.ts";
import { currentContract, documentsIn, ROOT } from "./contract-reader.ts";

const contract = await currentContract();
const nameOf = new Map(contract.reasons.map(({ number, name }) => [number, name]));
/** What each workload's RPCs declare, by its name. */
const declared = Map.groupBy(contract.rpcs, ({ service }) => service.workload);
const declaredBy = (workload: string): ReadonlySet<string> =>
  new Set(
    (declared.get(workload) ?? []).flatMap(({ rules }) =>
      rules.reasons.map((number) => nameOf.get(number) ?? ""),
    ),
  );

/** The folders of code that refuses, without what reads the refusals of others. */
const sourcesOf = (folder: string): readonly { path: string; text: string }[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith("-peer.ts"))
    .map((path) => ({ path: `${folder}/${path}`, text: readFileSync(join(ROOT, folder, path), "utf8") }));

const reasonsIn = (text: string): readonly string[] =>
  [...text.matchAll(/\b([A-Z][A-Z_]{3,})\b/g)].flatMap(([, word = ""]) =>
    contract.reasons.some(({ name }) => name === word) ? [word] : [],
  );

/** Every word that is given to a fault as its reason, in a literal. */
const thrownIn = (text: string): readonly string[] =>
  [...text.matchAll(/new Fault\(\s*"([^"]*)"/g)].map(([, word = ""]) => word);

const WORKLOADS = [...declared.keys()].sort((left, right) => left.localeCompare(right));

describe("a reason", () => {
  test("that any code throws is in the contract", () => {
    const all = ["services", "edge/gateway/src", "mesh/chassis/src"].flatMap(sourcesOf);
    const thrown = all.flatMap(({ path, text }) => thrownIn(text).map((reason) => ({ path, reason })));
    expect(thrown.filter(({ reason }) => !nameOf.values().some((name) => name === reason))).toEqual([]);
    expect(thrown.length).toBeGreaterThan(80);
    process.stdout.write(`${contract.reasons.length} reasons, thrown by ${thrown.length} literals\n`);
  });

  test.each(WORKLOADS)(
    "that the code of %s names is declared by an RPC of it, or every RPC has it",
    (workload) => {
      const undeclared = sourcesOf(`services/${workload}/src`).flatMap(({ path, text }) =>
        reasonsIn(text)
          .filter((reason) => !declaredBy(workload).has(reason))
          .filter((reason) => !REASONS_OF_EVERY_RPC.has(reason as (typeof REASONS)[number]))
          .map((reason) => `${path}: ${reason}`),
      );
      expect(undeclared).toEqual([]);
    },
  );

  test.each(WORKLOADS)("that an RPC of %s declares is thrown somewhere: no promise is empty", (workload) => {
    const code = [`services/${workload}/src`, "mesh/chassis/src"].flatMap(sourcesOf);
    const named = new Set(code.flatMap(({ text }) => reasonsIn(text)));
    expect([...declaredBy(workload)].filter((reason) => !named.has(reason))).toEqual([]);
  });

  test("that no RPC declares is the door's own, or one of every RPC", () => {
    const anywhere = new Set(WORKLOADS.flatMap((workload) => [...declaredBy(workload)]));
    const edge = new Set(sourcesOf("edge/gateway/src").flatMap(({ text }) => reasonsIn(text)));
    const shared = new Set<string>([...SHARED_REASONS, ...BODY_REASONS, ...REASONS_OF_EVERY_RPC]);
    const left = REASONS.filter(
      (reason) => !anywhere.has(reason) && !shared.has(reason) && !edge.has(reason),
    );
    expect(left).toEqual([]);
  });

  test("of every RPC is documented for every operation, but for the two that nobody outside sees", () => {
    const documented = new Set([...SHARED_REASONS, ...BODY_REASONS]);
    const left = [...REASONS_OF_EVERY_RPC].filter((reason) => !documented.has(reason));
    // A stranger among the workloads, and a caller that went away, do not read the answer.
    expect(left).toEqual(["CALLER_NOT_ALLOWED", "CANCELLED"]);
  });

  test("is the same in the published schema of a problem as in the proto", () => {
    const { properties } = documentsIn("schemas").get("problem.json") as {
      properties: { reason: { enum?: readonly string[]; $ref?: string } };
    };
    const text = JSON.stringify(documentsIn("schemas").get("problem.json"));
    expect(properties.reason).toBeDefined();
    for (const { name } of contract.reasons) expect(text).toContain(`"${name}"`);
  });
});
