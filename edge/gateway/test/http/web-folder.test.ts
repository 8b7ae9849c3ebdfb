import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { findPage, type Page } from "../../src/http/pages.ts";
import { webPages } from "../../src/http/web-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "gateway-web-"));
mkdirSync(join(folder, "assets"));
writeFileSync(join(folder, "index.html"), "<!doctype html>");
writeFileSync(join(folder, "assets/index-1.js"), "plain");
writeFileSync(join(folder, "assets/index-1.js.br"), "small");
writeFileSync(join(folder, "assets/secret.txt"), "not of the page");
afterAll(() => rmSync(folder, { recursive: true }));

const pages = webPages(folder);

/** As much of an exchange as a page looks at. */
async function get(path: string, acceptEncoding?: string): Promise<Page | undefined> {
  const header = (name: string) => (name === "accept-encoding" ? acceptEncoding : undefined);
  return findPage(pages, path)?.page({ path, header } as Parameters<
    NonNullable<ReturnType<typeof findPage>>["page"]
  >[0]);
}

test.each(["/", "/jobs", "/jobs/01a1", "/missions/01a1", "/queues", "/workers", "/alerts"])(
  "%s is the document, asked for anew each time, under a policy without holes",
  async (path) => {
    const { headers, body } = (await get(path)) ?? { headers: {} as Page["headers"], body: "" };
    expect(String(body)).toBe("<!doctype html>");
    expect(headers["cache-control"]).toBe("no-cache");
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'; /);
    expect(headers["content-security-policy"]).not.toMatch(/unsafe|\*|data:/);
  },
);

test("a file is sent as it was compressed beforehand to whoever takes that, and for ever", async () => {
  const [small, plain] = [
    await get("/assets/index-1.js", "gzip, br"),
    await get("/assets/index-1.js", "gzip"),
  ];
  expect([String(small?.body), small?.headers["content-encoding"]]).toEqual(["small", "br"]);
  expect([String(plain?.body), plain?.headers["content-encoding"]]).toEqual(["plain", undefined]);
  expect(plain?.headers).toMatchObject({
    vary: "accept-encoding",
    "cache-control": expect.stringContaining("immutable"),
  });
});

test.each(["/assets/none.js", "/assets/secret.txt", "/assets/../index.html", "/assets/index-1.js.br"])(
  "%s is no file of the page",
  async (path) => {
    await expect(get(path)).rejects.toMatchObject({ reason: "ROUTE_NOT_FOUND" });
  },
);

test.each(["/v1/jobs", "/docs", "/jobsx", "/healthz"])("%s is left to others", (path) => {
  expect(findPage(pages, path)).toBeUndefined();
});

test("a folder without a document stops the start", () => {
  expect(() => webPages(join(folder, "assets"))).toThrow(/ENOENT/);
});
