import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { AdminPage } from "./admin-server.ts";

/** As much of an OpenAPI document as its page shows. */
interface Document {
  readonly info: { readonly title: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly "x-kind"?: string;
  readonly "x-callers"?: readonly string[];
  readonly "x-deadline"?: string;
  readonly "x-repeat"?: string;
  readonly "x-reasons"?: readonly { readonly reason: string }[];
}

const locate = createRequire(import.meta.url);

/**
 * The pages `/openapi.json` and `/docs` of one service, from the document that the contracts hold for it.
 *
 * @returns nothing where the contracts have no document of that name
 */
export function serviceDocuments(service: string): Readonly<Record<string, AdminPage>> {
  const folder = dirname(locate.resolve("@orrery/contracts/openapi/edge.json"));
  const file = join(folder, `${service}.json`);
  if (!existsSync(file)) return {};
  // Read when asked for: most of a process's life nobody does.
  return documentPages(() => readFileSync(file, "utf8"));
}

/** The pages `/openapi.json` and `/docs` of an OpenAPI document, given as its text. */
export const documentPages = (text: () => string): Readonly<Record<string, AdminPage>> => ({
  "/openapi.json": { contentType: "application/json", body: text },
  "/docs": {
    contentType: "text/html; charset=utf-8",
    body: () => documentationPage(JSON.parse(text()) as Document),
  },
});

/** An OpenAPI document as one page of HTML: what can be called, by whom, for how long, and why it may be refused. */
function documentationPage({ info, paths }: Document): string {
  const rows = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => row(path, method, operation)),
  );
  return [
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(info.title)}</title>`,
    `<h1>${escaped(info.title)}</h1>`,
    `<p>${escaped(info.description ?? "")} <a href="openapi.json">openapi.json</a></p>`,
    "<table><thead><tr><th>path</th><th>kind</th><th>callers</th><th>deadline</th><th>repeat</th><th>reasons</th>",
    `<th>what it does</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></html>\n`,
  ].join("\n");
}

function row(path: string, method: string, operation: Operation): string {
  const cells = [
    operation["x-kind"] ?? method.toUpperCase(),
    (operation["x-callers"] ?? []).join(", "),
    operation["x-deadline"] ?? "none",
    operation["x-repeat"] ?? "",
    (operation["x-reasons"] ?? []).map(({ reason }) => reason).join(", "),
    operation.description ?? operation.summary ?? "",
  ];
  return `<tr><td><code>${escaped(path)}</code></td>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
