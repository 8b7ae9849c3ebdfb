import { readFileSync } from "node:fs";
import { engineWorld } from "./engine-world.ts";

process.env.ORRERY_TEST_POSTGRES = "postgres://postgres@127.0.0.1:55511/postgres";
const world = await engineWorld();
const N = Number(process.env.N ?? 20000);
const seen = new Map<number, number>();
async function pgCpu() {
  const rows = await world.pool.query<{ pid: number }>(
    { name: "", text: "select pid from pg_stat_activity where datname = current_database()" },
    [],
  );
  for (const { pid } of rows) {
    try {
      const f = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
      seen.set(pid, (Number(f[11]) + Number(f[12])) * 10);
    } catch {}
  }
  return [...seen.values()].reduce((a, b) => a + b, 0);
}
async function phase(name: string, n: number, work: () => Promise<unknown>) {
  const c0 = process.cpuUsage(),
    p0 = await pgCpu(),
    t0 = performance.now();
  await work();
  const t = (performance.now() - t0) / 1000,
    c = process.cpuUsage(c0),
    p = await pgCpu();
  console.log(
    name.padEnd(16),
    String(Math.round(n / t)).padStart(7),
    "/s  node",
    Math.round((c.user + c.system) / n),
    "µs  pg",
    Math.round(((p - p0) * 1000) / n),
    "µs",
  );
}
const submitMany = (n: number, callers: number) => {
  let i = 0;
  return Promise.all(
    Array.from({ length: callers }, async () => {
      while (i++ < n) await world.ask("submitJob", { task: "t", labels: { a: "b" } });
    }),
  );
};
await submitMany(2000, 50);
await phase("submit 50", N, () => submitMany(N, 50));
await phase("bulk", N, async () => {
  for (let k = 0; k < N / 1000; k += 2)
    await Promise.all(
      [0, 1].map(() =>
        world.ask("batchSubmitJobs", { jobs: Array.from({ length: 1000 }, () => ({ task: "t" })) }),
      ),
    );
});
const total = 2000 + 2 * N;
let done = 0,
  tl = 0,
  tc = 0;
await phase("drain", total, () =>
  Promise.all(
    Array.from({ length: 10 }, async (_, w) => {
      for (;;) {
        let t = performance.now();
        const { leases } = await world.ask("leaseJobs", { tasks: ["t"], worker: `w${w}`, max: 100 });
        tl += performance.now() - t;
        t = performance.now();
        if (leases.length === 0) {
          if (done >= total - 1000) return;
          continue;
        }
        const { outcomes } = await world.ask("completeAttempts", {
          results: leases.map(({ jobId, leaseEpoch }) => ({ jobId, leaseEpoch })),
        });
        tc += performance.now() - t;
        done += outcomes.filter((o) => o.ok).length;
      }
    }),
  ),
);
console.log({ done, tl, tc });
await world[Symbol.asyncDispose]();
