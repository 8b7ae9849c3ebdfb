import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { AlreadyRunning, LaunchRecord } from "../src/launch-record.ts";
import { isAlive, startMark } from "../src/process-table.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "orrery-record-"));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const write = (launch: object) => writeFileSync(join(home, "launcher.json"), JSON.stringify(launch));
const GONE = { name: "launcher", pid: 2 ** 22 - 1, mark: "another boot:1" };

test("a home is one launcher's at a time, and free once it is released", async () => {
  const { record } = await LaunchRecord.claim(home);
  await expect(LaunchRecord.claim(home)).rejects.toThrow(AlreadyRunning);
  record.release();
  await expect(LaunchRecord.claim(home)).resolves.toBeDefined();
});

test("a process that only carries the id of one that was left behind is not touched", async () => {
  const stranger = spawn("sleep", ["60"]);
  write({ launcher: GONE, children: [{ name: "jobs-0", pid: stranger.pid, mark: "another boot:1" }] });
  const { ended } = await LaunchRecord.claim(home);
  expect(ended).toEqual([]);
  expect(isAlive(stranger.pid ?? 0)).toBe(true);
  stranger.kill("SIGKILL");
});

test("a process that was left behind is ended", async () => {
  const left = spawn("sleep", ["60"], { detached: true });
  const pid = left.pid ?? 0;
  const gone = new Promise((done) => left.once("exit", done));
  write({ launcher: GONE, children: [{ name: "jobs-0", pid, mark: startMark(pid) }] });
  const { ended } = await LaunchRecord.claim(home);
  await gone;
  expect(ended).toEqual(["jobs-0"]);
});

test("a record cut off by a crash of the machine does not keep the home", async () => {
  writeFileSync(join(home, "launcher.json"), '{"launcher":{"pi');
  const { record } = await LaunchRecord.claim(home);
  record.release();
  expect(existsSync(join(home, "launcher.json"))).toBe(false);
});
