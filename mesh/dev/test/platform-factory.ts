import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WORKLOADS, type Workload } from "@orrery/mesh/topology";
import { Platform } from "../src/platform.ts";
import { type RunFile, runFileIn } from "../src/run-file.ts";
import { readSettings, type Settings } from "../src/settings.ts";

/** The real topology, with programs that do nothing but say that they are ready. */
export const STAND_INS = WORKLOADS.map((workload) => ({
  ...workload,
  folder: "mesh/dev/testing/fake-service",
}));

/** The same, but each takes three seconds before it looks at its certificate. */
export const LATE_STAND_INS = STAND_INS.map((workload) => ({ ...workload, main: "src/late-main.ts" }));

/** A platform of real servers and stand-in services in a home of its own, with what it printed. */
export interface TestPlatform extends AsyncDisposable {
  readonly home: string;
  readonly settings: Settings;
  readonly platform: Platform;
  readonly printed: readonly string[];
  run(): RunFile;
}

/**
 * Starts one; `settings` as a user would give them. It is stopped and its home removed at the end of its
 * block.
 */
export async function testPlatform(
  settings: Readonly<Record<string, string>> = {},
  workloads: readonly Workload[] = STAND_INS,
): Promise<TestPlatform> {
  const home = mkdtempSync(join(tmpdir(), "orrery-launcher-"));
  const read = readSettings({ ORRERY_PORT: "4840", ...settings, ORRERY_HOME: home });
  const printed: string[] = [];
  const remove = () => rmSync(home, { recursive: true, force: true });
  const platform = await Platform.start({
    settings: read,
    workloads,
    print: (line) => printed.push(line),
    signal: new AbortController().signal,
  }).catch((failure: unknown) => {
    remove();
    throw failure;
  });
  return {
    home,
    settings: read,
    platform,
    printed,
    run: () => JSON.parse(readFileSync(runFileIn(home), "utf8")) as RunFile,
    async [Symbol.asyncDispose]() {
      await platform.stop();
      remove();
    },
  };
}
