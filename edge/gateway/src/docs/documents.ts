import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Page, PageHandler } from "../http/pages.ts";

/** A page that holds a document of JSON. */
export function documentPage(text: string): PageHandler {
  const page: Page = {
    status: 200,
    headers: { "content-type": "application/json", "cache-control": "no-cache" },
    body: text,
  };
  return () => page;
}

/** The files of Swagger UI that its page needs; nothing else of the package is served. */
const FILES: ReadonlyMap<string, string> = new Map([
  ["swagger-ui.css", "text/css; charset=utf-8"],
  ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  ["favicon-32x32.png", "image/png"],
]);

const START = `window.onload = () => {
  window.ui = SwaggerUIBundle({ url: "/openapi.json", dom_id: "#ui", deepLinking: true, validatorUrl: null });
};
`;

const INDEX = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Orrery API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`;

/** Nothing may come from another host: the page works without a network. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** The page to read and try the API on, at `/docs` and below. */
export function swaggerPages(): PageHandler {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  return async ({ path }) => {
    const name = path.replace(/^\/docs\/?/, "");
    if (name === "") return text(INDEX, "text/html; charset=utf-8");
    if (name === "start.js") return text(START, "text/javascript; charset=utf-8");
    const type = FILES.get(name);
    if (type === undefined)
      throw new Fault("ROUTE_NOT_FOUND", { detail: `There is no ${extname(name)} file of this name.` });
    return {
      status: 200,
      headers: { "content-type": type, "cache-control": "public, max-age=86400" },
      body: await readFile(join(folder, name)),
    };
  };
}

function text(body: string, type: string): Page {
  return {
    status: 200,
    headers: { "content-type": type, "content-security-policy": CONTENT_SECURITY_POLICY },
    body,
  };
}
