import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { LogFile } from "../src/log-file.ts";
import { isAlive } from "../src/process-table.ts";
import { backoffMs, SupervisedProcess } from "../src/supervised-process.ts";

test.each([
  [1, 0],
  [2, 200],
  [3, 400],
  [7, 6_400],
  [8, 10_000],
  [100, 10_000],
])("after %i deaths in a row a process rests %i ms", (deaths, restMs) => {
  expect(backoffMs(deaths)).toBe(restMs);
});

describe("a supervised process", () => {
  let folder: string;
  let started: number[];
  let deaths: string[];
  let supervised: SupervisedProcess;

  const supervise = (script: string, stopWithinMs = 5_000) =>
    new SupervisedProcess(
      {
        name: "stand-in",
        file: "sh",
        args: ["-c", script],
        env: { PATH: process.env.PATH ?? "" },
        cwd: "/",
        log: new LogFile(join(folder, "stand-in.log")),
        stopWithinMs,
      },
      { started: ({ pid }) => started.push(pid ?? 0), died: (_, how) => deaths.push(how) },
    );

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "orrery-supervised-"));
    started = [];
    deaths = [];
  });
  afterEach(async () => {
    await supervised.stop();
    rmSync(folder, { recursive: true });
  });

  test("that is killed is started again under a new id", async () => {
    supervised = supervise("exec sleep 60");
    supervised.start();
    process.kill(started[0] ?? 0, "SIGKILL");
    await eventually(() => expect(started).toHaveLength(2));
    expect(deaths).toEqual(["SIGKILL"]);
    expect(supervised.pid).toBe(started[1]);
  });

  test("that cannot be started is reported as dead, and tried again", async () => {
    supervised = new SupervisedProcess(
      { ...supervise("").command, file: "/no/such/program" },
      { started: () => undefined, died: (_, how) => deaths.push(how) },
    );
    supervised.start();
    await eventually(() => expect(deaths.length).toBeGreaterThan(1));
    expect(deaths[0]).toMatch(/ENOENT/);
  });

  test("that is stopped stays stopped, and stopping twice is fine", async () => {
    supervised = supervise("exec sleep 60");
    supervised.start();
    await supervised.stop();
    await supervised.stop();
    supervised.start();
    expect(started).toHaveLength(1);
    expect(deaths).toEqual([]);
    expect(isAlive(started[0] ?? 0)).toBe(false);
  });

  test("that ignores the request to stop is killed with what it started", async () => {
    supervised = supervise("trap '' TERM; sleep 60 & echo child $!; wait; wait; sleep 60", 200);
    supervised.start();
    const { log } = supervised.command;
    await eventually(() => expect(log.lastLines(1)[0]).toMatch(/^child/));
    const child = Number(log.lastLines(1)[0]?.split(" ")[1]);
    await supervised.stop();
    expect(isAlive(started[0] ?? 0)).toBe(false);
    await eventually(() => expect(isAlive(child)).toBe(false));
  });
});
