import { type ChildProcess, spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { WORKLOADS } from "@orrery/mesh/topology";
import { connect as connectNats, type NatsConnection } from "nats";
import pg from "pg";
import { ROOT } from "../src/places.ts";
import { StartFailed } from "../src/platform.ts";
import { isAlive } from "../src/process-table.ts";
import { isReady } from "../src/readiness.ts";
import { runFileIn } from "../src/run-file.ts";
import { LATE_STAND_INS, STAND_INS, type TestPlatform, testPlatform } from "./platform-factory.ts";

let bed: TestPlatform;
beforeAll(async () => {
  bed = await testPlatform({ ORRERY_LEAF_TTL: "4s", REPLICAS: "2" });
}, 180_000);
afterAll(async () => {
  await bed?.[Symbol.asyncDispose]();
}, 60_000);

const filesOf = (name: string) => {
  const { certFile, keyFile } = bed.run().identities[name] ?? { certFile: "", keyFile: "" };
  return { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
};
const ca = () => readFileSync(bed.run().caFile, "utf8");

async function query(user: string, identity: string | undefined, text: string): Promise<unknown[]> {
  const { host, port } = bed.run().postgres;
  const tls = { ca: ca(), ...(identity && filesOf(identity)) };
  const client = new pg.Client({
    host,
    port,
    user,
    database: user === "postgres" ? "postgres" : "jobs",
    ssl: tls,
  });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function asUser(name: string): Promise<NatsConnection> {
  const { certFile, keyFile } = bed.run().identities[name] ?? { certFile: "", keyFile: "" };
  return connectNats({
    servers: bed.run().nats.url,
    tls: { certFile, keyFile, caFile: bed.run().caFile },
    inboxPrefix: name === "operator" ? "_INBOX" : `_INBOX.${name}`,
    reconnect: false,
    timeout: 3_000,
  });
}

describe("run.json", () => {
  test("is readable by its owner alone and names what answers, two of every service", async () => {
    const run = bed.run();
    expect(statSync(runFileIn(bed.home)).mode & 0o777).toBe(0o600);
    expect(Object.entries(run.services).map(([name, replicas]) => [name, replicas.length])).toEqual(
      WORKLOADS.map(({ name }) => [name, 2]),
    );
    expect(run.edges).toHaveLength(2);
    for (const edge of run.edges) await isReady(`${edge}/readyz`);
    for (const { pid } of Object.values(run.services).flat()) expect(isAlive(pid)).toBe(true);
    expect(run.pid).toBe(process.pid);
  });

  test("names secrets by file and holds none", () => {
    const text = readFileSync(runFileIn(bed.home), "utf8");
    const { demo } = bed.run().projects;
    const key = readFileSync(demo?.apiKeyFile ?? "", "utf8").trim();
    expect(key).toMatch(/^orr_[\w-]{43}$/);
    expect(statSync(demo?.apiKeyFile ?? "").mode & 0o777).toBe(0o600);
    expect(text).not.toContain(key);
    expect(text).not.toContain("PRIVATE KEY");
  });
});

describe("API keys", () => {
  test("are kept as hashes, with their scopes", () => {
    const { keys } = JSON.parse(readFileSync(join(bed.home, "keys.json"), "utf8"));
    const plain = readFileSync(bed.run().projects.second?.readKeyFile ?? "", "utf8").trim();
    expect(keys).toHaveLength(4);
    expect(keys).toContainEqual({
      id: "second-read",
      project: "second",
      scopes: ["read"],
      sha256: createHash("sha256").update(plain).digest("hex"),
    });
  });
});

describe("PostgreSQL", () => {
  test("lets a service in with the certificate of its role, without a superuser's rights", async () => {
    const rows = await query(
      "jobs",
      "jobs",
      "select current_user u, rolsuper s from pg_roles where rolname = current_user",
    );
    expect(rows).toEqual([{ u: "jobs", s: false }]);
    await expect(query("jobs", "jobs", "create table stray (id int)")).rejects.toThrow(/permission denied/);
  });

  test.each([
    ["the certificate of another role", "jobs", "worker"],
    ["no certificate", "jobs", undefined],
    ["a superuser's name over TCP", "postgres", "jobs"],
    ["the owner's name with the service's certificate", "jobs_owner", "jobs"],
  ])("refuses %s", async (_, user, identity) => {
    await expect(query(user, identity, "select 1")).rejects.toThrow(
      /authentication failed|pg_hba|certificate/,
    );
  });

  test("commits durably", async () => {
    const rows = await query(
      "jobs",
      "jobs",
      "select current_setting('fsync') f, current_setting('synchronous_commit') s",
    );
    expect(rows).toEqual([{ f: "on", s: "on" }]);
  });
});

describe("NATS", () => {
  test("maps a certificate to its own user: what the topology grants, and nothing else", async () => {
    const connection = await asUser("jobs");
    const streams = await connection.jetstreamManager({ checkAPI: false });
    await streams.streams.add({ name: "ORRERY_JOBS", subjects: ["orrery.events.v1.jobs.>"] });
    await connection.jetstream().publish("orrery.events.v1.jobs.JobQueued.0", "{}");
    const refused = eventually(async () => {
      for await (const status of connection.status()) {
        if (status.data === "PERMISSIONS_VIOLATION") return;
      }
    });
    connection.publish("orrery.dead_letters.ORRERY_JOBS.x", "forged");
    await refused;
    await connection.close();
  });

  test("lets the operator read a stream and create an ephemeral consumer, and delete nothing", async () => {
    const connection = await asUser("operator");
    const manager = await connection.jetstreamManager();
    expect((await manager.streams.info("ORRERY_JOBS")).state.messages).toBe(1);
    const consumer = await connection.jetstream().consumers.get("ORRERY_JOBS");
    const message = await consumer.next({ expires: 2_000 });
    expect(message?.subject).toBe("orrery.events.v1.jobs.JobQueued.0");
    await expect(manager.streams.delete("ORRERY_JOBS")).rejects.toThrow();
    await connection.close();
  });

  test("refuses a workload that has no user, and a caller without a certificate", async () => {
    await expect(asUser("gateway")).rejects.toThrow();
    await expect(
      connectNats({ servers: bed.run().nats.url, tls: { ca: ca() }, reconnect: false }),
    ).rejects.toThrow();
  });
});

describe("leaf certificates", () => {
  test("are replaced at half their life, and the servers show the new ones", async () => {
    const { certFile } = bed.run().identities.jobs ?? { certFile: "" };
    const bundleFile = certFile.replace("cert.pem", "identity.pem");
    const first = new X509Certificate(readFileSync(bundleFile)).serialNumber;
    const seen = new Set<string>([first]);
    await eventually(
      async () => {
        seen.add(new X509Certificate(readFileSync(bundleFile)).serialNumber);
        expect(seen.size).toBeGreaterThan(2);
      },
      { withinMs: 20_000 },
    );
    // More than one whole life has passed since the start: only a renewed server certificate is still valid.
    expect(await query("jobs", "jobs", "select 1 one")).toEqual([{ one: 1 }]);
    await (await asUser("operator")).close();
  }, 30_000);
});

describe("a start that takes longer than a leaf lives", () => {
  test("ends ready: leaves are renewed while it goes on", async () => {
    await using late = await testPlatform({ ORRERY_PORT: "4980", ORRERY_LEAF_TTL: "2s" }, LATE_STAND_INS);
    await isReady(`${late.run().edge}/readyz`);
  }, 120_000);
});

describe("a service that ends again and again", () => {
  test("ends the start, with its last lines", async () => {
    const broken = STAND_INS.map((workload) => ({ ...workload, main: "src/nowhere.ts" }));
    const started = testPlatform({ ORRERY_PORT: "5080" }, broken);
    await expect(started).rejects.toThrow(
      /ended 6 times before it answered; its last lines:\n.*MODULE_NOT_FOUND/s,
    );
    await expect(started).rejects.toThrow(StartFailed);
  }, 120_000);
});

describe("a process that is killed", () => {
  const pidOf = (name: string): number => {
    const run = bed.run();
    if (name === "postgres" || name === "nats") return run[name].pid;
    return run.services[name]?.[0]?.pid ?? 0;
  };

  test.each(["gateway", "jobs", "nats", "postgres"])(
    "%s is started again at once, which is said, and answers",
    async (name) => {
      const before = pidOf(name);
      process.kill(before, "SIGKILL");
      await eventually(async () => {
        expect(pidOf(name)).not.toBe(before);
        if (name === "gateway") await isReady(`${bed.run().edge}/readyz`);
        if (name === "postgres") await query("jobs", "jobs", "select 1");
        if (name === "nats") await (await asUser("operator")).close();
      });
      expect(bed.printed.join("\n")).toMatch(
        new RegExp(`^${name}(-0)? ended by itself \\(SIGKILL\\); it starts again at once`, "m"),
      );
    },
  );
});

describe("a second launcher", () => {
  const launch = (home: string, command = "run"): { child: ChildProcess; printed: () => string } => {
    let printed = "";
    const child = spawn(process.execPath, ["mesh/dev/src/main.ts", command], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? "", ORRERY_HOME: home },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        printed += chunk.toString();
      });
    }
    return { child, printed: () => printed };
  };

  test("on the same home says who runs, ends non-zero and disturbs nothing", async () => {
    const { child, printed } = launch(bed.home);
    const code = await new Promise((done) => child.once("exit", done));
    expect(code).toBe(1);
    expect(printed()).toContain(`its launcher is process ${process.pid}`);
    await isReady(`${bed.run().edge}/readyz`);
  });

  test("that is attached to a process stops in order when that is gone before it is ready", async () => {
    const home = mkdtempSync(join(tmpdir(), "orrery-attached-"));
    try {
      const { child, printed } = launch(home, "run-attached");
      child.stdin?.end();
      expect(await new Promise((done) => child.once("close", done))).toBe(0);
      expect(printed()).toMatch(/^stopping: .*\n(.*\n)*stopped\n$/);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});

describe("ports", () => {
  test("a taken port moves to the next free one, and that is said", async () => {
    const occupied = createServer().listen(4_900, "127.0.0.1");
    try {
      await using other = await testPlatform({ ORRERY_PORT: "4900" });
      expect(other.run().edge).toBe("http://127.0.0.1:4901");
      expect(other.printed).toContain("port 4900 is taken: HTTP moves to 4901");
    } finally {
      occupied.close();
    }
  }, 120_000);
});

describe("a launcher that was killed", () => {
  test("leaves processes that the next one ends before it starts its own", async () => {
    const home = mkdtempSync(join(tmpdir(), "orrery-orphans-"));
    const script = join(ROOT, "mesh/dev/testing/stand-in-platform.ts");
    const first = spawn(process.execPath, [script], {
      env: { PATH: process.env.PATH ?? "", ORRERY_HOME: home, ORRERY_PORT: "4950" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await eventually(() => expect(existsSync(runFileIn(home))).toBe(true), { withinMs: 90_000 });
      const run = JSON.parse(readFileSync(runFileIn(home), "utf8"));
      const left = [run.postgres.pid, run.nats.pid, run.services.jobs[0].pid];
      first.kill("SIGKILL");
      await new Promise((done) => first.once("exit", done));
      expect(left.every(isAlive)).toBe(true);
      const second = spawn(process.execPath, [script], {
        env: { PATH: process.env.PATH ?? "", ORRERY_HOME: home, ORRERY_PORT: "4950" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      await eventually(() => expect(JSON.parse(readFileSync(runFileIn(home), "utf8")).pid).toBe(second.pid), {
        withinMs: 90_000,
      });
      expect(left.some(isAlive)).toBe(false);
      const now = JSON.parse(readFileSync(runFileIn(home), "utf8"));
      second.kill("SIGTERM");
      expect(await new Promise((done) => second.once("exit", done))).toBe(0);
      expect([now.postgres.pid, now.nats.pid, now.services.gateway[0].pid].some(isAlive)).toBe(false);
      expect(existsSync(runFileIn(home))).toBe(false);
    } finally {
      first.kill("SIGKILL");
      rmSync(home, { recursive: true, force: true });
    }
  }, 240_000);
});
