import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { until } from "../../../mesh/chassis/src/testing/until.ts";
import { buildWebPage } from "../../../mesh/dev/src/web-page.ts";
import { openBrowser, type SignedIn } from "../../../mesh/dev/testing/browser.ts";
import { axeFaults } from "./axe.ts";
import { sampleId } from "./stand-in/sample-jobs.ts";
import { SAMPLE_KEY, type StandInEdge, startStandInEdge } from "./stand-in/stand-in-edge.ts";

const mission = (n: number) => `/missions/${sampleId(n, "7a00")}`;
const job = (n: number) => `/jobs/${sampleId(n)}`;

/** Every page in the states that differ, with a text that shows that it is there. */
const PAGES: readonly (readonly [path: string, text: string])[] = [
  ["/", "Newest jobs"],
  ["/jobs", "180 in all"],
  ["/jobs?q=stauts:failed", "did you mean status?"],
  ["/jobs?q=status:failed+nothing", "No job fits this query."],
  [job(12), "JobRetrying"],
  [`${job(1)}?tab=data`, "Ada Lovelace"],
  [`${job(12)}?tab=trace`, "jetstream publish"],
  [job(5), "No live worker serves"],
  ["/missions", "needs attention"],
  [mission(0), "charge waits: No live worker serves"],
  [`${mission(1)}?step=charge`, "orders.charge"],
  [`${mission(2)}?view=table`, "orders.uncharge"],
  [`${mission(2)}?view=events`, "MissionStepSucceeded"],
  ["/queues", "10 at once"],
  ["/workers", "encoder-1"],
  [`/alerts?open=${sampleId(1, "7d00")}`, "Mend what the undo calls"],
];

let edge: StandInEdge;
let browser: SignedIn;
let page: Page;
beforeAll(async () => {
  const folder = await buildWebPage((line) => process.stdout.write(`${line}\n`));
  if (folder === undefined) throw new Error("the page could not be built");
  edge = await startStandInEdge(folder);
  browser = await openBrowser({ key: SAMPLE_KEY, options: { viewport: { width: 1_280, height: 860 } } });
  page = browser.page;
  page.setDefaultTimeout(20_000);
}, 180_000);
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await edge?.[Symbol.asyncDispose]();
});

const open = async (path: string, text: string) => {
  await page.goto(`${edge.url}${path}`);
  await page.getByText(text).filter({ visible: true }).first().waitFor();
};
const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");

describe.each(["light", "dark"] as const)("in the %s theme", (colorScheme) => {
  beforeAll(() => page.emulateMedia({ colorScheme }));
  afterAll(() => page.emulateMedia({ colorScheme: "light" }));

  test.each(PAGES)(
    "axe finds nothing wrong with %s",
    async (path, text) => {
      await open(path, text);
      expect(await axeFaults(page)).toEqual([]);
    },
    60_000,
  );
});

describe("the theme", () => {
  const seen = () =>
    page.evaluate(() => {
      const { colorScheme } = getComputedStyle(document.documentElement);
      const { backgroundColor, color } = getComputedStyle(document.body);
      return { colorScheme, backgroundColor, color };
    });
  const LIGHT = { backgroundColor: "rgb(244, 246, 248)", color: "rgb(22, 32, 43)" };
  const DARK = { backgroundColor: "rgb(16, 22, 28)", color: "rgb(227, 233, 240)" };

  afterAll(async () => {
    await page.evaluate(() => localStorage.clear());
    await page.emulateMedia({ colorScheme: "light" });
  });

  test.each([
    ["light", "system", { colorScheme: "light dark", ...LIGHT }],
    ["dark", "system", { colorScheme: "light dark", ...DARK }],
    ["light", "dark", { colorScheme: "dark", ...DARK }],
    ["dark", "light", { colorScheme: "light", ...LIGHT }],
  ] as const)(
    "in a %s system is what is chosen: %s",
    async (colorScheme, chosen, look) => {
      await page.emulateMedia({ colorScheme });
      await open("/queues", "10 at once");
      await page.evaluate((theme) => localStorage.setItem("orrery.theme", theme), chosen);
      await open("/queues", "10 at once");
      expect(await seen()).toEqual(look);
    },
    60_000,
  );
});

describe.each([
  ["of a telephone", 390],
  ["that 400 % of zoom leaves", 320],
])("in the width %s", (_, width) => {
  beforeAll(() => page.setViewportSize({ width, height: 800 }));
  afterAll(() => page.setViewportSize({ width: 1_280, height: 860 }));

  test.each(PAGES)(
    "%s has no sideways scrolling, and its places at the bottom",
    async (path, text) => {
      await open(path, text);
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(wider).toBeLessThanOrEqual(0);
      const rail = await page.getByRole("navigation", { name: "Places" }).boundingBox();
      expect((rail?.y ?? 0) + (rail?.height ?? 0)).toBe(800);
    },
    60_000,
  );
});

describe("a live list", () => {
  const first = () => page.getByRole("row").nth(1);

  test("shows a new job on top without a reload", async () => {
    await open("/jobs", "180 in all");
    await page.mouse.move(640, 5);
    edge.submit({ task: "fresh.one" });
    await first().getByText("fresh.one").waitFor();
  }, 60_000);

  test("changes a row in place when an event says so", async () => {
    await open("/jobs", "in all");
    const shown = edge.submit({ task: "fresh.two", status: "QUEUED" });
    await first().getByText("fresh.two").waitFor();
    edge.change({ ...shown, status: "SUCCEEDED", version: 2 });
    await first().getByText("succeeded").waitFor();
  }, 60_000);

  test("keeps new rows behind a button while the reader is in it", async () => {
    await open("/jobs", "in all");
    const before = await first().textContent();
    await first().hover();
    edge.submit({ task: "fresh.three" });
    const pill = page.getByRole("button", { name: /▲ 1 new/ });
    await pill.waitFor();
    expect((await first().textContent())?.slice(0, 30)).toBe(before?.slice(0, 30));
    await pill.click();
    await first().getByText("fresh.three").waitFor();
  }, 60_000);

  test("does nothing by itself while it is paused", async () => {
    const witness = await page.context().newPage();
    await witness.goto(`${edge.url}/jobs`);
    await witness.getByText("in all").first().waitFor();
    await open("/jobs", "in all");
    await page.keyboard.press("l");
    await page.getByRole("button", { name: "paused" }).waitFor();
    edge.submit({ task: "fresh.four" });
    await witness.getByText("fresh.four").first().waitFor();
    await witness.close();
    expect(await page.getByText("fresh.four").count()).toBe(0);
    await page.keyboard.press("l");
    await page.getByRole("button", { name: "live" }).waitFor();
    await first().getByText("fresh.four").waitFor();
  }, 60_000);

  test("loads the next page behind the last row, and names its length", async () => {
    await open("/jobs", "in all");
    await page.getByRole("button", { name: "Load more" }).click();
    await page.waitForFunction(() => (document.querySelector(".virtual")?.clientHeight ?? 0) > 3_000);
    expect(
      Number(await page.getByRole("table", { name: "Jobs" }).getAttribute("aria-rowcount")),
    ).toBeGreaterThan(180);
  }, 60_000);
});

describe("what a list has read", () => {
  const readings = () => edge.asked.filter((line) => line === "GET /v1/jobs?pageSize=50").length;
  afterAll(() => edge.answerWith(undefined));

  test("is read once when it is opened", async () => {
    await open("/queues", "10 at once");
    const before = readings();
    await open("/jobs", "in all");
    await page.getByRole("row").nth(1).waitFor();
    await page.evaluate(() => fetch("/v1/metrics"));
    expect(readings()).toBe(before + 1);
  }, 60_000);

  test("grows old where it is not read again, though events go on to change its rows", async () => {
    await using own = await openBrowser({ key: SAMPLE_KEY });
    const { clock } = own.page;
    await clock.install();
    await own.page.goto(`${edge.url}/jobs`);
    await own.page.getByText("up to date").waitFor();
    await own.page.getByRole("button", { name: "live" }).waitFor();
    const shown = edge.submit({ task: "fresh.five", status: "QUEUED" });
    const row = own.page.getByRole("row").filter({ hasText: "fresh.five" });
    await row.waitFor();
    edge.answerWith("trouble");
    await clock.fastForward(20_000);
    await own.page.getByText(/last read \d+ s ago/).waitFor();
    edge.change({ ...shown, status: "SUCCEEDED", version: 2 });
    await row.getByText("succeeded").waitFor();
    expect(await own.page.getByText("up to date").count()).toBe(0);
  }, 60_000);
});

describe("by keyboard alone", () => {
  test("a job is found, opened and left, and the focus is where the eye is", async () => {
    await open("/", "Newest jobs");
    await page.keyboard.press("g");
    await page.keyboard.press("j");
    // The overview has rows as well: only the address says that it is the list's.
    await page.waitForURL(`${edge.url}/jobs`);
    await page.getByRole("row").nth(3).waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === "Jobs");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const task = await focused();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: task }).waitFor();
    expect(await focused()).toBe(task);
    await page.keyboard.press("Escape");
    await page.waitForURL(`${edge.url}/jobs`);
  }, 60_000);

  test("the search takes a query, and a wrong one is mended where it is wrong", async () => {
    await open("/jobs", "in all");
    await page.keyboard.press("/");
    await page.keyboard.type("stauts:failed g j");
    await page.keyboard.press("Enter");
    await page.getByText("Column 1:").waitFor();
    await page.getByRole("button", { name: /^Search for/ }).press("Enter");
    await page.waitForURL(/q=status:failed/);
    expect(await page.getByRole("searchbox").inputValue()).toBe("status:failed g j");
  }, 60_000);

  test("the dialog of keys opens and closes, and single keys can be turned off", async () => {
    await open("/jobs", "in all");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole("radio", { name: "Off" }).check();
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("m");
    expect(page.url()).toBe(`${edge.url}/jobs`);
    await page.evaluate(() => localStorage.clear());
  }, 60_000);
});

describe("when things are not as they should be", () => {
  afterAll(() => edge.answerWith(undefined));

  test("an empty platform shows what to type first", async () => {
    edge.answerWith("nothing");
    await open("/", "A job was submitted");
    await open("/jobs", "There is no job yet.");
    await open("/missions", "There is no mission yet.");
    await open("/queues", "No queue has been used yet.");
    await open("/workers", "No worker was seen");
    await open("/alerts", "No alert is active.");
  }, 90_000);

  test("a platform that is away is told by its reason and trace id, and can be asked again", async () => {
    edge.answerWith("trouble");
    await open("/queues", "STORE_UNAVAILABLE");
    await page.getByText("4bf92f3577b34da6a3ce929d0e0e4736").waitFor();
    edge.answerWith(undefined);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("10 at once").waitFor();
  }, 60_000);

  test("what was read stays on the page when the next reading fails", async () => {
    edge.answerWith(undefined);
    await open("/queues", "10 at once");
    edge.answerWith("trouble");
    await page.getByText("STORE_UNAVAILABLE").waitFor();
    expect(await page.getByText("10 at once").isVisible()).toBe(true);
    edge.answerWith(undefined);
    await page.getByText("STORE_UNAVAILABLE").waitFor({ state: "detached" });
  }, 60_000);
});

describe("a platform that goes while its page is open", () => {
  test.each([
    ["/", "up to date"],
    ["/jobs", "up to date"],
    ["/alerts?show=all", "up to date"],
    ["/queues", "asked just now"],
    ["/workers", "asked just now"],
  ])(
    "is missed on %s, and found again when it is back",
    async (path, fresh) => {
      await open(path, fresh);
      await page.getByRole("button", { name: "live" }).waitFor();
      await edge.leave();
      await page.getByText("reconnecting").waitFor({ timeout: 5_000 });
      expect(await page.getByText(fresh).count()).toBe(0);
      const ages = page.getByText(/last read \d+ s ago/);
      await ages.waitFor();
      const age = async () => Number(/read (\d+) s/.exec((await ages.textContent()) ?? "")?.[1]);
      await page.getByText("The platform does not answer").first().waitFor();
      const before = await age();
      await until("its age to grow", async () => (await age()) > before, { withinMs: 10_000 });
      expect(await page.getByText("The platform does not answer").count()).toBe(1);
      await edge.comeBack();
      await page.getByText(fresh).waitFor();
      await page.getByRole("button", { name: "live" }).waitFor();
      await page.getByText("The platform does not answer").waitFor({ state: "detached" });
    },
    60_000,
  );
});

test("everything that any page asked for was a reading of the observatory", () => {
  const asked = new Set(
    edge.asked.map((line) => line.replace(/\?.*/, "").replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "{id}")),
  );
  const others = [...asked].filter(
    (line) =>
      !/^GET \/(v1\/(observatory\/|jobs$|events:watch$|overview$|metrics$|alerts$)|runbooks\/|assets\/)/.test(
        line,
      ),
  );
  expect(
    others.filter((line) => !/^GET \/(jobs|missions|queues|workers|alerts)?(\/\{id\})?$/.test(line)),
  ).toEqual([]);
});

test("a key that nobody knows is refused, another is handed from tab to tab, and signing out forgets it", async () => {
  const context = await page.context().browser()?.newContext();
  if (context === undefined) throw new Error("no browser");
  const stranger = await context.newPage();
  await stranger.goto(`${edge.url}/jobs`);
  await stranger.getByLabel("API key").fill("orr_wrong");
  await stranger.getByRole("button", { name: "Open" }).click();
  await stranger.getByText("does not know this key").waitFor();
  expect(await axeFaults(stranger)).toEqual([]);
  await stranger.getByLabel("API key").fill(SAMPLE_KEY);
  await stranger.getByRole("button", { name: "Open" }).click();
  await stranger.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  expect(
    await stranger.evaluate(() => JSON.stringify(localStorage) + location.href + document.cookie),
  ).not.toContain("orr_");
  const second = await context.newPage();
  await second.goto(`${edge.url}/queues`);
  await second.getByRole("heading", { level: 1, name: "Queues" }).waitFor();
  await second.keyboard.press("?");
  await second.getByRole("button", { name: "Sign out" }).click();
  for (const tab of [second, stranger]) {
    await tab.getByLabel("API key").waitFor();
    expect(await tab.evaluate(() => sessionStorage.length + localStorage.length)).toBe(0);
  }
  await second.reload();
  await second.getByLabel("API key").waitFor();
  await stranger.getByLabel("API key").fill(SAMPLE_KEY);
  await stranger.getByRole("button", { name: "Open" }).click();
  await second.getByRole("heading", { level: 1, name: "Queues" }).waitFor();
  await context.close();
}, 60_000);
