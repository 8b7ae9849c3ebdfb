/** A step into JSON: the name of a field, an index of an array, or the key of a map. */
export type JsonStep = string | number | { readonly key: string };

const PLAIN_KEY = /^[A-Za-z_$][A-Za-z0-9_$-]*$/;

/** Writes a path as `jobs[3].maxAttempts`, `labels["x"]`. */
export function renderPath(steps: readonly JsonStep[]): string {
  let path = "";
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else if (typeof step === "object") path += `[${JSON.stringify(step.key)}]`;
    else path += path === "" ? step : `.${step}`;
  }
  return path;
}

/** The step to a key of free JSON: like a field where it could be the name of one. */
export function keyStep(key: string): JsonStep {
  return PLAIN_KEY.test(key) ? key : { key };
}
