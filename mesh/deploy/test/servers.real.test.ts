/**
 * The settings that servers are given on one host and in kind, put before the real servers: their files stand where the
 * keeper lays them, everything else is as it is written.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { WORKLOADS } from "@orrery/mesh/topology";
import pg from "pg";
import { parse } from "yaml";
import { giveTo, postgresAccount } from "../../dev/src/account.ts";
import { resolvePostgres } from "../../dev/src/binaries/postgres-folder.ts";
import { runProgram } from "../../dev/src/binaries/program.ts";
import { resolveBinary } from "../../dev/src/binaries/resolve.ts";
import { FreePorts } from "../../dev/src/free-port.ts";
import { layDown } from "../src/keeper/keeping.ts";
import { DEPLOY, ROOT } from "./resources.ts";

const INSTALL_MS = 300_000;
const databases = WORKLOADS.flatMap(({ name: workload, folder, database }) =>
  database === null ? [] : [{ workload, folder, ...database }],
);

let home = "";
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "orrery-servers-"));
  chmodSync(home, 0o755);
  await layDown(home, { owned: false });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const leaf = (name: string, file: string): string => join(home, "identities", name, file);

/** A generated file as it would be read where the leaf of `name` is mounted. */
const settings = (path: string, name: string): string =>
  readFileSync(join(DEPLOY, path), "utf8").replaceAll(
    /\/run\/orrery\/identity\/([\w.-]+)/g,
    (_whole, file: string) =>
      leaf(
        name,
        {
          "tls.crt": "cert.pem",
          "tls.key": "key.pem",
          "ca.crt": "ca.pem",
          "tls-combined.pem": "identity.pem",
        }[file] ?? file,
      ),
  );

describe("nats-server", () => {
  test.each([
    "compose/generated/nats.conf",
    "kubernetes/servers/nats-single/nats.conf",
    "kubernetes/servers/nats-three/nats.conf",
  ])(
    "takes %s",
    async (from) => {
      const { path } = await resolveBinary("nats-server");
      const file = join(home, "nats.conf");
      writeFileSync(file, settings(from, "nats"));
      const { ok, output } = await runProgram(path, ["-t", "-c", file, "--name", "nats-0"]);
      expect([ok, output]).toEqual([true, expect.stringContaining("is valid")]);
    },
    INSTALL_MS,
  );
});

describe("promtool", () => {
  test.each(["compose/generated", "kubernetes/servers/observability"])(
    "takes the configuration of Prometheus in %s",
    async (from) => {
      const { path } = await resolveBinary("promtool");
      const args = ["check", "config", "--syntax-only", join(DEPLOY, from, "prometheus.yaml")];
      const { ok, output } = await runProgram(path, args);
      expect([ok, output]).toEqual([true, expect.stringContaining("SUCCESS")]);
    },
    INSTALL_MS,
  );
});

describe("PostgreSQL with the settings of one host", () => {
  const account = postgresAccount();
  const as = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  let server: ChildProcess | undefined;
  let port = 0;

  beforeAll(async () => {
    const { initdb, postgres } = await resolvePostgres();
    const data = join(home, "data");
    const conf = join(home, "conf");
    mkdirSync(data, { mode: 0o700 });
    mkdirSync(conf);
    for (const name of ["postgresql.conf", "pg_hba.conf"]) {
      writeFileSync(join(conf, name), settings(`compose/generated/${name}`, "postgres"));
    }
    for (const path of [data, conf, join(home, "identities/postgres")]) giveTo(account, path);
    chmodSync(join(home, "identities"), 0o755);
    const quiet = { cwd: "/", stdio: ["ignore", "pipe", "pipe"] as const, ...as };
    const made = [
      "-D",
      data,
      "-U",
      "postgres",
      "--auth=reject",
      "--locale=C",
      "--encoding=UTF8",
      "--no-sync",
    ];
    execFileSync(initdb, made, { ...quiet, stdio: [...quiet.stdio] });
    const input = readFileSync(join(DEPLOY, "compose/generated/roles.sql"), "utf8").replaceAll(
      /^--.*\n/gm,
      "",
    );
    execFileSync(postgres, ["--single", "-D", data, "postgres"], { cwd: "/", input, ...as, stdio: "pipe" });
    port = await new FreePorts(home).take();
    const placed = {
      port: String(port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      fsync: "off",
    };
    const given = {
      config_file: join(conf, "postgresql.conf"),
      hba_file: join(conf, "pg_hba.conf"),
      ...placed,
    };
    const args = Object.entries(given).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    server = spawn(postgres, ["-D", data, ...args], { cwd: "/", stdio: "ignore", ...as });
  }, 60_000);

  afterAll(async () => {
    if (server === undefined || server.exitCode !== null) return;
    const ended = once(server, "exit");
    server.kill("SIGQUIT");
    await ended;
  });

  /** Logs in with somebody's leaf, runs one statement, and returns what it came to. */
  const login = async (
    { as: holder, role, database }: { as: string; role: string; database: string },
    statement = "select 1",
  ): Promise<string> => {
    const [key, cert, ca] = ["key.pem", "cert.pem", "ca.pem"].map((file) =>
      readFileSync(leaf(holder, file), "utf8"),
    );
    const ssl = { key, cert, ca, minVersion: "TLSv1.3" as const };
    const client = new pg.Client({ host: "127.0.0.1", port, user: role, database, ssl });
    try {
      await client.connect();
      await client.query(statement);
      return "done";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  test("lets each role into its own database by its leaf, and nowhere else", async () => {
    await eventually(
      async () => expect(await login({ as: "jobs", role: "jobs", database: "jobs" })).toBe("done"),
      { withinMs: 20_000, everyMs: 100 },
    );
    for (const { role, ownerRole, name: database } of databases) {
      for (const one of [role, ownerRole]) expect(await login({ as: one, role: one, database })).toBe("done");
    }
    expect(await login({ as: "alerts", role: "alerts", database: "jobs" })).toMatch(
      /rejects connection|pg_hba/,
    );
    expect(await login({ as: "alerts", role: "jobs", database: "jobs" })).toMatch(
      /certificate authentication failed/,
    );
    expect(await login({ as: "jobs", role: "postgres", database: "postgres" })).toMatch(
      /rejects connection|pg_hba/,
    );
  });

  test("is migrated as the compose file says, by the owner, after which the service's role may serve", async () => {
    const compose = parse(readFileSync(join(DEPLOY, "compose/compose.yaml"), "utf8")) as {
      services: Record<string, { environment: Record<string, string> }>;
    };
    for (const { workload, folder, ownerRole } of databases) {
      const env = {
        PATH: process.env.PATH,
        ...compose.services[`${workload}-migrations`]?.environment,
        ORRERY_DATABASE_HOST: "127.0.0.1",
        ORRERY_DATABASE_PORT: String(port),
        ORRERY_IDENTITY_FILE: leaf(ownerRole, "identity.pem"),
        ORRERY_CA_FILE: leaf(ownerRole, "ca.pem"),
      };
      const { ok, output } = await runProgram(
        process.execPath,
        [join(ROOT, folder, "src/migrate.ts"), "up"],
        {
          env,
        },
      );
      expect([workload, ok, output]).toEqual([workload, true, expect.stringContaining("migrated up")]);
    }
    const jobs = { as: "jobs", role: "jobs", database: "jobs" };
    expect(await login(jobs, "select count(*) from job")).toBe("done");
    expect(await login(jobs, "drop table job")).toMatch(/must be owner/);
  }, 60_000);

  test("shows the auditor everything, and lets him change nothing", async () => {
    const auditor = { as: "auditor", role: "auditor", database: "jobs" };
    expect(await login(auditor, "select count(*) from job")).toBe("done");
    expect(await login(auditor, "begin read write; delete from job")).toMatch(/permission/);
  });
});
