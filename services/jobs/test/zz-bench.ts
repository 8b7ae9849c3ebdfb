import { create } from "@bufbuild/protobuf";
import { engineWorld } from "./engine-world.ts";
process.env.ORRERY_TEST_POSTGRES = "postgres://postgres@127.0.0.1:55511/postgres";
const world = await engineWorld();
const N = Number(process.env.N ?? 20000);
const input = { kind: { case: "structValue", value: { fields: {} } } };
async function submitMany(n: number, callers: number) {
  const t = performance.now(); let i = 0;
  await Promise.all(Array.from({ length: callers }, async () => { while (i++ < n) await world.ask("submitJob", { task: "t", labels: { a: "b" } }); }));
  const s = (performance.now() - t) / 1000; console.log(`submit ${callers} callers`, Math.round(n / s), "/s");
}
await submitMany(5000, 50);
await submitMany(N, 50);
let t = performance.now();
for (let k = 0; k < N / 1000; k += 2) await Promise.all([0, 1].map(() => world.ask("batchSubmitJobs", { jobs: Array.from({ length: 1000 }, () => ({ task: "t" })) })));
console.log("bulk", Math.round(N / ((performance.now() - t) / 1000)), "/s");
const total = 5000 + 2 * N;
t = performance.now(); let done = 0;
const cpu = process.cpuUsage();
await Promise.all(Array.from({ length: 10 }, async (_, w) => {
  for (;;) {
    const { leases } = await world.ask("leaseJobs", { tasks: ["t"], worker: `w${w}`, max: 100 });
    if (leases.length === 0) { if (done >= total - 1000) return; continue; }
    const { outcomes } = await world.ask("completeAttempts", { results: leases.map(({ jobId, leaseEpoch }) => ({ jobId, leaseEpoch })) });
    done += outcomes.filter((o) => o.ok).length;
  }
}));
const s = (performance.now() - t) / 1000; const u = process.cpuUsage(cpu);
console.log("drain", done, Math.round(done / s), "/s", "node µs/job", Math.round((u.user + u.system) / done));
if (process.env.WAITQ) {
  const text = "select 1"; 
  console.log(await world.pool.query({ name: "", text: "select relname, n_live_tup, n_dead_tup from pg_stat_user_tables where relname like 'job%' or relname='lease'" }, []));
}
await world[Symbol.asyncDispose]();
void create; void input;
