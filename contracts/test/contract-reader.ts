import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AnySchema, ValidateFunction } from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { buildImage, type Contract, readContract } from "../src/image/contract-image.ts";

/** The root of the checkout. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The contract as the protos have it now. */
export async function currentContract(): Promise<Contract> {
  return readContract(await buildImage(".", ROOT));
}

/** Every generated document of a folder, by its path below it. */
export function documentsIn(folder: string): ReadonlyMap<string, Record<string, unknown>> {
  const root = join(ROOT, "contracts", folder);
  return new Map(
    readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".json"))
      .map((path) => [path, JSON.parse(readFileSync(join(root, path), "utf8")) as Record<string, unknown>]),
  );
}

/** A validator of draft 2020-12 that knows our keywords and refuses every other that it does not know. */
export function newValidator(): {
  compile(schema: object): ValidateFunction;
  addSchema(schema: object, key: string): void;
} {
  const ajv = new Ajv2020.default({
    strict: true,
    strictRequired: false,
    strictTypes: false,
    allErrors: true,
  });
  addFormats.default(ajv);
  ajv.addFormat("int32", true);
  ajv.addFormat("int64", true);
  ajv.addFormat("double", true);
  for (const keyword of [
    "$version",
    "components",
    "x-version",
    "x-private",
    "x-rules",
    "x-minimum",
    "x-maximum",
    "x-immutable",
  ]) {
    ajv.addKeyword(keyword);
  }
  return {
    compile: (schema) => ajv.compile(schema as AnySchema),
    addSchema: (schema, key) => void ajv.addSchema(schema as AnySchema, key),
  };
}
