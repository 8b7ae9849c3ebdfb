import { type JsonStep, keyStep, renderPath } from "./json-path.ts";
import { endOfString, type JsonTree } from "./json-tree.ts";

/** An object or array that is open at the place where the search stands. */
interface Open {
  readonly keys: Set<string> | undefined;
  step: JsonStep;
}

/**
 * Path to the first key that occurs twice in its object; empty when none does. The text has to be valid JSON.
 */
export function findDuplicateKey(text: string): string {
  const open: Open[] = [];
  let key = "";
  for (let at = 0; at < text.length; at++) {
    const top = open.at(-1);
    const sign = text[at];
    if (sign === "{") open.push({ keys: new Set(), step: "" });
    else if (sign === "[") open.push({ keys: undefined, step: 0 });
    else if (sign === "}" || sign === "]") open.pop();
    else if (sign === "," && typeof top?.step === "number") top.step += 1;
    else if (sign === '"') {
      const end = endOfString(text, at);
      key = text.slice(at, end + 1);
      at = end;
    } else if (sign === ":" && top?.keys !== undefined) {
      const name = String(JSON.parse(key));
      top.step = keyStep(name);
      if (top.keys.has(name)) return renderPath(open.map(({ step }) => step));
      top.keys.add(name);
    }
  }
  return "";
}

/** Path to the first string, or key, that is not well-formed Unicode; undefined when all are. */
export function findIllFormedString(value: JsonTree, steps: readonly JsonStep[] = []): string | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : renderPath(steps);
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const within = [...steps, Array.isArray(value) ? Number(key) : keyStep(key)];
    const path = key.isWellFormed() ? findIllFormedString(item, within) : renderPath(within);
    if (path !== undefined) return path;
  }
  return undefined;
}
