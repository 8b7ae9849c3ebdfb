import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "@orrery/mesh/fault/fault";
import { wantsHtml } from "../http/accept.ts";
import type { Page, PageHandler } from "../http/pages.ts";
import { escapeHtml, htmlPage } from "./html-page.ts";

/** What an alert may name: a file of the folder, and no way out of it. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const LINK = /\[([^\]]+)\]\(([a-z][a-z0-9-]*)\.md\)/g;

/**
 * The runbooks that alerts name, at `/runbooks` and `/runbooks/{name}`: Markdown as it was written, or a page for
 * whoever reads in a browser. Read anew for each request, so that a mended one needs no restart.
 *
 * @param folder - holds `<name>.md`
 */
export function runbookPages(folder: string): PageHandler {
  return async ({ path, header }) => {
    const name = path.slice("/runbooks/".length);
    const html = wantsHtml(header("accept"));
    if (name === "") return listPage(await namesIn(folder), html);
    const text = NAME.test(name) ? await textOf(join(folder, `${name}.md`)) : undefined;
    if (text === undefined) {
      throw new Fault("NOT_FOUND", { detail: "There is no runbook of this name; /runbooks lists them." });
    }
    return html ? htmlPage(name, `<pre>${linked(escapeHtml(text))}</pre>`) : markdown(text);
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder);
  return files.flatMap((file) => (file.endsWith(".md") ? [file.slice(0, -".md".length)] : [])).sort();
}

/** The text of a file; undefined where there is none. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw failure;
  }
}

function listPage(names: readonly string[], html: boolean): Page {
  if (!html) return markdown(`# Runbooks\n\n${names.map((name) => `- [${name}](${name}.md)`).join("\n")}\n`);
  const items = names.map((name) => `<li><a href="/runbooks/${name}">${name}</a></li>`);
  return htmlPage("Runbooks", `<h1>What to do about an alert</h1>\n<ul>\n${items.join("\n")}\n</ul>`);
}

/** One runbook names another by its file; here it is a page. */
function linked(text: string): string {
  return text.replace(
    LINK,
    (_link, title: string, name: string) => `<a href="/runbooks/${name}">${title}</a>`,
  );
}

function markdown(body: string): Page {
  return {
    status: 200,
    headers: { "content-type": "text/markdown; charset=utf-8", "cache-control": "no-cache", vary: "accept" },
    body,
  };
}
