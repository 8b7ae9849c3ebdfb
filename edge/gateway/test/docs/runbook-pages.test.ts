import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { runbookPages } from "../../src/docs/runbook-pages.ts";
import type { Exchange } from "../../src/http/exchange.ts";
import type { Page } from "../../src/http/pages.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gateway-"));
  writeFileSync(
    join(folder, "service-down.md"),
    "# A service is down\n\nSee [the other](outbox-stuck.md) & <b>.\n",
  );
  writeFileSync(join(folder, "outbox-stuck.md"), "# Stuck\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const get = async (path: string, accept = "text/markdown"): Promise<Page> =>
  runbookPages(folder)({
    path,
    header: (name: string) => (name === "accept" ? accept : undefined),
  } as Exchange);

test("a runbook comes as the Markdown that was written", async () => {
  const page = await get("/runbooks/service-down");
  expect(page.headers["content-type"]).toBe("text/markdown; charset=utf-8");
  expect(page.body).toMatch(/^# A service is down\n/);
});

test("a browser gets a page with the same text, its links, and nothing of its markup", async () => {
  const { headers, body } = await get("/runbooks/service-down", "text/html,application/xhtml+xml");
  expect(headers["content-type"]).toContain("text/html");
  expect(body).toContain('<a href="/runbooks/outbox-stuck">the other</a>');
  expect(body).not.toContain("<b>");
});

test("all runbooks are listed", async () => {
  expect((await get("/runbooks")).body).toContain(
    "- [outbox-stuck](outbox-stuck.md)\n- [service-down](service-down.md)",
  );
  expect((await get("/runbooks", "text/html")).body).toContain('<a href="/runbooks/service-down">');
});

test.each([
  "/runbooks/nonsense",
  "/runbooks/..%2Fsecret",
  "/runbooks/../secret",
  "/runbooks/A",
  "/runbooks/a.md",
])("%s is no runbook", async (path) => {
  await expect(get(path)).rejects.toMatchObject({ reason: "NOT_FOUND" });
});
