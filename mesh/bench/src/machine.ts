import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import type pg from "pg";

const GIB = 1_024 ** 3;

/** Says on what the figures were taken, and how busy it was before: a load near the cores makes them worthless. */
export async function describeMachine(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ server_version: string }>("show server_version");
  const model = cpus()[0]?.model ?? "unknown processor";
  const memory = (await memoryLimitBytes()) ?? totalmem();
  return [
    `${availableParallelism()} cores (${model}), ${(memory / GIB).toFixed(0)} GiB`,
    `node ${process.versions.node}`,
    `PostgreSQL ${rows[0]?.server_version ?? "?"}`,
    `load ${loadavg()[0]?.toFixed(1) ?? "?"} at the start`,
  ].join(", ");
}

async function memoryLimitBytes(): Promise<number | undefined> {
  const text = await readFile("/sys/fs/cgroup/memory.max", "utf8").catch(() => "max");
  const bytes = Number(text);
  return Number.isFinite(bytes) ? bytes : undefined;
}
