import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { POSTGRES_TUNING } from "@orrery/mesh/topology";
import { type Account, giveTo } from "./account.ts";
import type { PostgresPrograms } from "./binaries/postgres-folder.ts";
import { replaceFile } from "./owned-file.ts";
import { makePassage } from "./places.ts";
import { commandLine, isAlive } from "./process-table.ts";

/**
 * How many connections our PostgreSQL takes; the pools of mesh/topology.ts, doubled for two replicas, stay
 * below.
 */
export const MAX_CONNECTIONS = 200;

/** One PostgreSQL: its data, its address and who may log in. */
export interface Cluster {
  readonly programs: PostgresPrograms;
  readonly account: Account | undefined;
  readonly dataDir: string;
  /**
   * A folder that only the server's user may enter: the superuser's only door. Its path is at most 90 bytes.
   */
  readonly socketDir: string;
  readonly port: number;
  readonly access: Access;
}

/**
 * Who may log in over TCP. `certificate`: the logins named, each with a client certificate whose CN is the
 * role, and never the superuser. `trust`: anyone on this machine, for tests.
 */
export type Access =
  | {
      readonly kind: "certificate";
      readonly identityFile: string;
      readonly caFile: string;
      readonly logins: readonly Login[];
    }
  | { readonly kind: "trust" };

/** A role and the one database it may enter. */
export interface Login {
  readonly database: string;
  readonly role: string;
}

/**
 * Makes the data folder if there is none, and writes the server's settings anew, so that a changed setting
 * reaches an old folder. Collation C and UTF-8: text compares by bytes, the same on every machine.
 */
export function prepareCluster(cluster: Cluster): void {
  const { dataDir, socketDir, account } = cluster;
  if (!existsSync(join(dataDir, "PG_VERSION"))) initialise(cluster);
  mkdirSync(socketDir, { recursive: true, mode: 0o700 });
  chmodSync(socketDir, 0o700);
  giveTo(account, socketDir);
  replaceFile(join(dataDir, "postgresql.conf"), settings(cluster), { account });
  replaceFile(join(dataDir, "pg_hba.conf"), hostRules(cluster.access), { account });
  clearStaleProcess(dataDir);
}

/** What starts the server in the foreground. */
export const serverArgs = ({ dataDir }: Cluster): readonly string[] => ["-D", dataDir];

/**
 * Makes it beside its place and renames it in: a crash halfway leaves no half-made cluster under the name.
 */
function initialise({ programs, account, dataDir }: Cluster): void {
  const making = `${dataDir}-making`;
  rmSync(making, { recursive: true, force: true });
  if (!existsSync(dirname(dataDir))) makePassage(dirname(dataDir));
  mkdirSync(making, { mode: 0o700 });
  giveTo(account, making);
  const args = ["-D", making, "-U", "postgres", "--auth=trust", "--locale=C", "--encoding=UTF8"];
  execFileSync(programs.initdb, args, {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: "/",
    ...(account && { uid: account.uid, gid: account.gid }),
  });
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(making, dataDir);
}

/** Durability is never traded: fsync and synchronous_commit are on. */
function settings({ port, socketDir, access }: Cluster): string {
  const lines: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: socketDir,
    max_connections: String(MAX_CONNECTIONS),
    fsync: "on",
    synchronous_commit: "on",
    shared_buffers: "128MB",
    io_method: "sync",
    ...POSTGRES_TUNING,
    log_line_prefix: "%m [%p] %q%u@%d ",
    timezone: "UTC",
    log_timezone: "UTC",
    ...(access.kind === "certificate" && {
      ssl: "on",
      ssl_cert_file: access.identityFile,
      ssl_key_file: access.identityFile,
      ssl_ca_file: access.caFile,
      ssl_min_protocol_version: "TLSv1.3",
    }),
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name} = '${value}'\n`)
    .join("");
}

function hostRules(access: Access): string {
  const local = "local all postgres trust\n";
  if (access.kind === "trust") return `${local}host all all 127.0.0.1/32 trust\n`;
  return (
    local +
    access.logins.map(({ database, role }) => `hostssl ${database} ${role} 127.0.0.1/32 cert\n`).join("")
  );
}

/**
 * PostgreSQL refuses to start over the pid file of a crash when that id has since been given to another
 * process of the same user. The file is removed only when no PostgreSQL of this folder carries the id.
 */
function clearStaleProcess(dataDir: string): void {
  const file = join(dataDir, "postmaster.pid");
  const pid = postmasterPid(dataDir);
  if (pid === undefined) return;
  if (!isAlive(pid) || !commandLine(pid).includes(dataDir)) rmSync(file, { force: true });
}

/** The process id in the folder's pid file: that of the server which runs on it, or of one that crashed. */
export function postmasterPid(dataDir: string): number | undefined {
  const file = join(dataDir, "postmaster.pid");
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}
