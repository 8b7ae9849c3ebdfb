import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { resolveBinary } from "../src/binaries/resolve.ts";

/** A real browser with one page, signed in at the edge with a key. */
export interface SignedIn extends AsyncDisposable {
  readonly page: Page;
}

/**
 * Starts Chromium without a screen, with the key where the page keeps it, before the first document is loaded.
 *
 * @throws BinaryMissing where there is no Chromium and none can be installed
 */
export async function openBrowser(at: {
  readonly key: string;
  readonly options?: BrowserContextOptions;
}): Promise<SignedIn> {
  const { path } = await resolveBinary("chromium");
  // As root, which CI containers are, Chromium refuses to start with its sandbox.
  const browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
  const context = await browser.newContext(at.options ?? {});
  await context.addInitScript((key) => sessionStorage.setItem("orrery.key", key), at.key);
  const page = await context.newPage();
  return { page, [Symbol.asyncDispose]: () => browser.close() };
}
