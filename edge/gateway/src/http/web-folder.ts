import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { Fault } from "@orrery/mesh/fault/fault";
import { acceptedEncoding } from "./compression.ts";
import type { Page, PageHandler, PageTable } from "./pages.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The names of files hold a hash of what is in them: a year, and never asked for again. */
const FOR_EVER = "public, max-age=31536000, immutable";

/** Everything comes from this port: no script or style inside the page, nothing from another host. */
const DOCUMENT_HEADERS = {
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
};

/** The addresses that the page itself answers for; each but the first may have an id behind it. */
const CLIENT_ROUTES = ["/", "/jobs", "/missions", "/queues", "/workers", "/alerts"];

interface StoredFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly brotli: Buffer | undefined;
}

/**
 * The pages of a built front end: its document at every client route, its files below `/assets/`.
 *
 * The folder is read once: a build that comes while this process runs cannot mix two versions.
 *
 * @param folder - what the build wrote: `index.html`, `assets/`, and a `.br` beside what is worth it
 * @throws Error where the folder or its document cannot be read
 */
export function webPages(folder: string): PageTable {
  const document = readStored(folder, "index.html");
  const files = new Map(
    readdirSync(join(folder, "assets"))
      .filter((name) => extname(name) in TYPES)
      .map((name) => [`/assets/${name}`, readStored(folder, `assets/${name}`)]),
  );
  const page: PageHandler = (exchange) =>
    sent(document, exchange.header("accept-encoding"), DOCUMENT_HEADERS);
  const asset: PageHandler = (exchange) => {
    const file = files.get(exchange.path);
    if (file === undefined)
      throw new Fault("ROUTE_NOT_FOUND", { detail: "The page has no file of this name (any more)." });
    return sent(file, exchange.header("accept-encoding"), { "cache-control": FOR_EVER });
  };
  return {
    exact: new Map(CLIENT_ROUTES.map((route) => [route, page])),
    below: new Map([
      ["/assets/", asset],
      ...CLIENT_ROUTES.slice(1).map((route) => [`${route}/`, page] as const),
    ]),
  };
}

function sent(file: StoredFile, acceptEncoding: string | undefined, headers: Record<string, string>): Page {
  const type = { "content-type": file.type, vary: "accept-encoding" };
  return file.brotli !== undefined && acceptedEncoding(acceptEncoding) === "br"
    ? { status: 200, headers: { ...headers, ...type, "content-encoding": "br" }, body: file.brotli }
    : { status: 200, headers: { ...headers, ...type }, body: file.bytes };
}

function readStored(folder: string, name: string): StoredFile {
  const path = join(folder, name);
  const type = TYPES[extname(name)] ?? "application/octet-stream";
  return { type, bytes: readFileSync(path), brotli: readIfThere(`${path}.br`) };
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
