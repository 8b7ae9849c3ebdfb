import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connect } from "nats";
import { eventually } from "../../chassis/src/testing/eventually.ts";
import { Platform } from "../../dev/testing/platform.ts";
import { Journal } from "../src/journal.ts";
import { settled, verify } from "../src/verify.ts";

const SOUND = { lost: 0, doubled: 0, notEnded: 0, histories: 0, attempts: 0, readModel: 0 };

/** What only rebuilding can mend, what has to be waited out, and what a kill must not change. */
describe("the platform heals by itself", () => {
  let platform: Platform;
  let journal: Journal;
  beforeAll(async () => {
    platform = await Platform.start();
    journal = new Journal(platform, "heal");
    await journal.submit(50, { task: "orrery.echo" });
    await settled(platform, journal, 30_000);
  }, 240_000);
  afterAll(async () => platform[Symbol.asyncDispose](), 90_000);

  const streamMessages = async (): Promise<number> => {
    const { nats, caFile, identities } = platform.run;
    const files = identities.operator;
    const connection = await connect({
      servers: nats.url,
      inboxPrefix: "_INBOX.operator",
      tls: { caFile, certFile: files?.certFile ?? "", keyFile: files?.keyFile ?? "" },
    });
    try {
      const manager = await connection.jetstreamManager();
      return (await manager.streams.info("ORRERY_JOBS")).state.messages;
    } finally {
      await connection.close();
    }
  };
  const versions = async (): Promise<number> => {
    const ids = journal.entries.flatMap(({ id }) => id ?? []);
    const jobs = await Promise.all(ids.map((id) => platform.send("GET", `/v1/jobs/${id}`)));
    return jobs.reduce((sum, { body }) => sum + body.version, 0);
  };

  test("after the broker lost all its data, within 60 seconds", async () => {
    const { pid, dataDir } = platform.run.nats;
    rmSync(dataDir, { recursive: true, force: true });
    process.kill(pid, "SIGKILL");
    await journal.submit(10, { task: "orrery.echo" });
    await settled(platform, journal, 60_000);
    const expected = await versions();
    await eventually(async () => expect(await streamMessages()).toBeGreaterThanOrEqual(expected), {
      withinMs: 60_000,
    });
    await eventually(async () => expect((await verify(platform, journal, "heal")).wrong).toEqual(SOUND), {
      withinMs: 60_000,
      everyMs: 1_000,
    });
  }, 240_000);

  test("after the read model was deleted", async () => {
    rmSync(join(platform.home, "read-model"), { recursive: true, force: true });
    await eventually(async () => expect((await verify(platform, journal, "heal")).wrong).toEqual(SOUND), {
      withinMs: 60_000,
      everyMs: 1_000,
    });
  }, 120_000);

  test("after the operator had everything published again", async () => {
    const before = await streamMessages();
    const { stdout } = await promisify(execFile)("node", ["edge/cli/bin/orrery.mjs", "outbox", "republish"], {
      env: { ...process.env, NODE_OPTIONS: "", ORRERY_HOME: platform.home },
    });
    expect(stdout).toMatch(/^jobs: [1-9]\d* events are published again$/m);
    await eventually(async () => expect(await streamMessages()).toBeGreaterThanOrEqual(2 * before), {
      withinMs: 30_000,
    });
    expect((await verify(platform, journal, "heal")).wrong).toEqual(SOUND);
  }, 120_000);

  test("after PostgreSQL stood still, and callers were told in time to come back", async () => {
    const processes = [platform.run.postgres.pid, ...childrenOf(platform.run.postgres.pid)];
    for (const pid of processes) process.kill(pid, "SIGSTOP");
    try {
      const began = performance.now();
      const answer = await platform.send("POST", "/v1/jobs", { body: { task: "orrery.echo" } });
      expect([503, 504]).toContain(answer.status);
      expect(performance.now() - began).toBeLessThan(2_500);
      await eventually(
        async () => {
          const { status, headers } = await platform.send("POST", "/v1/jobs", {
            body: { task: "orrery.echo" },
          });
          expect([status, headers.has("retry-after")]).toEqual([503, true]);
        },
        { withinMs: 30_000 },
      );
      const id = journal.entries[0]?.id ?? "";
      await eventually(
        async () => {
          await Promise.all(Array.from({ length: 30 }, () => platform.send("GET", `/v1/jobs/${id}`)));
          expect((await breakerChanges(platform, "jobs", "postgres")).open).toBeGreaterThan(0);
        },
        { withinMs: 30_000 },
      );
      await eventually(async () => expect((await fetch(`${platform.run.edge}/readyz`)).status).toBe(503), {
        withinMs: 30_000,
      });
    } finally {
      for (const pid of processes) goOn(pid);
    }
    await eventually(
      async () => {
        const headers = { prefer: "wait=5" };
        const { status } = await platform.send("POST", "/v1/jobs", {
          body: { task: "orrery.echo" },
          headers,
        });
        expect(status).toBe(200);
      },
      { withinMs: 45_000 },
    );
    await eventually(async () => expect((await fetch(`${platform.run.edge}/readyz`)).status).toBe(200), {
      withinMs: 30_000,
    });
    // It opened, tried with one call, and closed; the count knows what was too short to be looked at.
    await eventually(
      async () => {
        const { open, half_open: halfOpen, closed } = await breakerChanges(platform, "jobs", "postgres");
        expect([open > 0, halfOpen > 0, closed > 0]).toEqual([true, true, true]);
      },
      { withinMs: 30_000 },
    );
  }, 180_000);

  test("an answer is the same to the byte after jobs and gateway were killed", async () => {
    const headers = { "idempotency-key": "before-and-after", "content-type": "application/json" };
    const body = JSON.stringify({ task: "nobody.serves.this", input: { text: "käse", n: 1.5 } });
    const submit = async () => {
      const authorization = `Bearer ${platform.key()}`;
      const init = { method: "POST", headers: { ...headers, authorization }, body };
      const response = await fetch(`${platform.run.edge}/v1/jobs`, init);
      const { status } = response;
      return { status, replayed: response.headers.get("idempotency-replayed"), text: await response.text() };
    };
    const first = await submit();
    expect([first.status, first.replayed]).toEqual([202, null]);
    for (const name of ["jobs", "gateway"]) {
      for (const { pid } of platform.run.services[name] ?? []) process.kill(pid, "SIGKILL");
    }
    await eventually(async () => expect(await submit()).toEqual({ ...first, replayed: "true" }), {
      withinMs: 30_000,
    });
  }, 60_000);
});

/** How often a breaker came into each state, as a service shows it in its metrics. */
async function breakerChanges(platform: Platform, service: string, dependency: string) {
  const admin = platform.run.services[service]?.[0]?.admin ?? "";
  const { text } = await platform.admin(`${admin}/metrics`);
  const count = (state: string): number => {
    const labels = `dependency="${dependency}",state="${state}"`;
    const line = text
      .split("\n")
      .find((each) => each.startsWith("orrery_breaker_changes_total{") && each.includes(labels));
    return Number(line?.split(" ").at(-1) ?? 0);
  };
  return { open: count("open"), half_open: count("half_open"), closed: count("closed") };
}

/** Lets a process go on; one that had ended meanwhile is reaped by its parent, which goes on first. */
function goOn(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The processes that one process started, by the kernel's own table. */
function childrenOf(parent: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return new RegExp(`^PPid:\\s+${parent}$`, "m").test(readFileSync(`/proc/${name}/status`, "utf8"));
      } catch {
        return false; // it ended between the listing and the reading
      }
    })
    .map(Number);
}
