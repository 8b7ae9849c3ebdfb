import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { eventually } from "../../chassis/src/testing/eventually.ts";
import { openBrowser } from "../../dev/testing/browser.ts";
import { FAILURE_ALERT, type World } from "./world.ts";

/** Looks for the job and the alert on the page, in a real browser, and at the command line. */
export async function screens(world: World): Promise<string> {
  await onThePage(world);
  await atTheCommandLine(world);
  return "both show the job and the alert";
}

async function onThePage({ platform, jobId, patienceMs }: World): Promise<void> {
  await using browser = await openBrowser({ key: platform.key("demo", "readKeyFile") });
  const shows = (path: string, text: string) =>
    eventually(
      async () => {
        await browser.page.goto(`${platform.run.edge}${path}`);
        await browser.page.getByText(text).first().waitFor({ timeout: 5_000 });
      },
      { withinMs: patienceMs },
    );
  await shows(`/jobs/${jobId}`, "succeeded");
  await shows("/alerts", FAILURE_ALERT);
}

async function atTheCommandLine({ platform, jobId, patienceMs }: World): Promise<void> {
  const env = { ...process.env, NODE_OPTIONS: "", ORRERY_HOME: platform.home };
  const orrery = (...args: string[]) =>
    promisify(execFile)(process.execPath, ["edge/cli/bin/orrery.mjs", ...args], { env, timeout: 20_000 });
  await eventually(
    async () => {
      assert.match((await orrery("job", "get", jobId)).stdout, /SUCCEEDED/);
      assert.match((await orrery("alert", "ls")).stdout, new RegExp(FAILURE_ALERT));
    },
    { withinMs: patienceMs },
  );
}
