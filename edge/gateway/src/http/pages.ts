import type { Exchange } from "./exchange.ts";

/** A page that is not of the API: a document, a health answer, a picture. */
export interface Page {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | string;
}

/** Makes a page for a request; throws a Fault where there is none. */
export type PageHandler = (exchange: Exchange) => Page | Promise<Page>;

/** Pages by path, and by the beginning of a path (which ends in `/`). */
export interface PageTable {
  readonly exact: ReadonlyMap<string, PageHandler>;
  readonly below: ReadonlyMap<string, PageHandler>;
}

/** The page that a path leads to, with the label that metrics know it by. */
export function findPage(table: PageTable, path: string): { label: string; page: PageHandler } | undefined {
  const exact = table.exact.get(path);
  if (exact !== undefined) return { label: path, page: exact };
  for (const [beginning, page] of table.below) {
    if (path.startsWith(beginning)) return { label: `${beginning}*`, page };
  }
  return undefined;
}
