/** A route as metrics and logs name it: its template, never the path, which holds ids. */
export type RouteLabel = (path: string) => string;

/** What every path that fits no route is called together. */
const NO_ROUTE = "_none";

/**
 * Names the route of a path by the templates of the API, for requests that were refused before their RPC was
 * known.
 *
 * @param templates - as in google.api.http, such as `/v1/jobs/{id}:cancel`
 */
export function routeLabels(templates: readonly string[]): RouteLabel {
  const patterns = [...new Set(templates.map(sameShape(templates)))].map((template) => ({
    template,
    pattern: new RegExp(
      `^${template
        .split(/\{[^}]*\}/)
        .map(escaped)
        .join("[^/]+")}$`,
    ),
    variables: template.split("{").length,
  }));
  // The template with the fewest variables is the nearest one: /v1/jobs:batchSubmit before /v1/{any}.
  patterns.sort(
    (left, right) => left.variables - right.variables || right.template.length - left.template.length,
  );
  // Most requests go to a path without a variable, which is its own template.
  const fixed = new Set(patterns.flatMap(({ template, variables }) => (variables === 1 ? [template] : [])));
  return (path) =>
    fixed.has(path) ? path : (patterns.find(({ pattern }) => pattern.test(path))?.template ?? NO_ROUTE);
}

/**
 * Names templates that match the same paths alike, by the first of them: `/v1/queues/{queue.name}` of a PATCH
 * is the path `/v1/queues/{queue}` of a GET.
 */
export function sameShape(templates: readonly string[]): (template: string) => string {
  const first = new Map<string, string>();
  const shapeOf = (template: string) => template.replace(/\{[^}]*\}/g, "{}");
  for (const template of templates) {
    const shape = shapeOf(template);
    if (!first.has(shape)) first.set(shape, template);
  }
  return (template) => first.get(shapeOf(template)) ?? template;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
}
