import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { ROOT } from "../src/places.ts";

// Whether make alone was interrupted shows in /proc.
const ALONE = process.platform === "linux" ? ([["to make alone", "kill -INT", 1]] as const) : [];

test.each([...ALONE, ["to its whole group", "Ctrl-C", -1] as const])(
  "a SIGINT %s stops `make run` in order, as by %s",
  async (_to, _as, sign) => {
    const home = mkdtempSync(join(tmpdir(), "orrery-make-"));
    // -o: this test installs nothing, however old what is installed.
    const make = spawn("make", ["-o", "node_modules/.package-lock.json", "run"], {
      cwd: ROOT,
      detached: true,
      env: { PATH: process.env.PATH ?? "", ORRERY_HOME: home, ORRERY_PORT: "5160" },
    });
    const ended = new Promise((done) => make.once("close", (_code, signal) => done(signal)));
    let printed = "";
    make.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    try {
      await eventually(() => expect(printed).toContain(" pid "));
      process.kill(sign * (make.pid ?? 0), "SIGINT");
      await eventually(() => expect(printed).toMatch(/^stopping: .*\n(.*\n)*stopped\n$/m), {
        withinMs: 15_000,
      });
      expect(await ended).toBe("SIGINT");
      expect(printed.match(/^stopping/gm)).toHaveLength(1);
    } finally {
      if (make.signalCode === null) make.kill("SIGTERM"); // which make passes on
      await ended;
      rmSync(home, { recursive: true, force: true });
    }
  },
);
