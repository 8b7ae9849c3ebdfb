import type { Platform } from "../../dev/testing/platform.ts";

const STEP = { task: "orrery.echo", undo: { task: "orrery.echo" } };
const READS = [
  "/v1/overview",
  "/v1/jobs",
  "/v1/events",
  "/v1/metrics",
  "/v1/alerts",
  "/v1/queues",
  "/v1/workers",
];

/** One round of everything: jobs that succeed, fail, wait and are cancelled, missions both ways, reads, refusals. */
export async function variedLoad(platform: Platform): Promise<void> {
  const post = (path: string, body: unknown) => platform.send("POST", path, { body });
  const jobs = [
    ...Array.from({ length: 12 }, (_, index) => ({ task: "orrery.echo", input: { index } })),
    ...Array.from({ length: 6 }, () => ({ task: "orrery.fail", input: { message: "no", retryable: false } })),
    { task: "orrery.fail", input: { message: "once", retryable: true, times: 1 } },
    { task: "orrery.sleep", input: { ms: 4_000 } },
  ];
  await Promise.all([
    post("/v1/jobs:batchSubmit", { jobs }),
    ...Array.from({ length: 4 }, () => post("/v1/jobs", { task: "orrery.echo" })),
    post("/v1/missions", { name: "kept", steps: [named("one", STEP), named("two", STEP)] }),
    post("/v1/missions", { name: "undone", steps: [named("one", STEP), named("two", failing())] }),
    post("/v1/alerts/01890000-0000-7000-8000-000000000000:acknowledge", {}),
    ...READS.map((path) => platform.send("GET", path)),
    platform.send("GET", "/v1/nonsense"),
    cancelOne(platform),
  ]);
}

const named = (name: string, step: object): object => ({ name, ...step });

function failing(): object {
  const { undo } = STEP;
  return { task: "orrery.fail", input: { message: "no", retryable: false }, undo, maxAttempts: 1 };
}

async function cancelOne(platform: Platform): Promise<void> {
  const { body } = await platform.send("POST", "/v1/jobs", { body: { task: "nobody.serves.this" } });
  await platform.send("POST", `/v1/jobs/${body.id}:cancel`, { body: {} });
}
