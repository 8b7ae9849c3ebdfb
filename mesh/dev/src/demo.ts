import { existsSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { demoJob } from "./demo-jobs.ts";
import { type RunFile, runFileIn } from "./run-file.ts";

const ROUNDS = 15;
const JOBS_A_ROUND = 20;
const ROUND_MS = 1_000;
const ANSWER_WITHIN_MS = 10_000;

/** There is no platform to give a load to. */
export class NotRunning extends Error {}

interface Outcome {
  readonly job?: { readonly id: string };
  readonly error?: { readonly title?: string };
}

/**
 * Gives a running platform something to look at: 300 jobs in 15 seconds that succeed, fail, retry, wait,
 * expire and are cancelled, a paused queue and one with a limit. What it leaves is ordinary data of the first
 * project.
 *
 * @throws NotRunning; Error when the platform refuses
 */
export async function demo(home: string, print: (line: string) => void): Promise<void> {
  const api = connect(home);
  await api("POST", "/v1/queues/night:pause", {});
  await api("PATCH", "/v1/queues/reports?updateMask=concurrency", { concurrency: 2 });
  print("queue night is paused, queue reports runs two jobs at a time");
  let submitted = 0;
  let cancelled = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const jobs = Array.from({ length: JOBS_A_ROUND }, (_, index) =>
      demoJob(round * JOBS_A_ROUND + index, Date.now()),
    );
    const { outcomes } = (await api("POST", "/v1/jobs:batchSubmit", { jobs })) as {
      outcomes: readonly Outcome[];
    };
    const refused = outcomes.find(({ error }) => error !== undefined);
    if (refused) throw new Error(`a job was refused: ${refused.error?.title}`);
    submitted += outcomes.length;
    const id = outcomes.at(-1)?.job?.id;
    // One a round is cancelled while it waits or runs; one that has ended by then answers 409, which is fine.
    if (id !== undefined && (await api("POST", `/v1/jobs/${id}:cancel`, { reason: "demo" }, [409])))
      cancelled += 1;
    print(`round ${round + 1} of ${ROUNDS}: ${submitted} jobs submitted, ${cancelled} cancelled`);
    await wait(ROUND_MS);
  }
  print("look: orrery job ls · orrery queue ls · orrery job ls -q 'status:FAILED'");
}

type Api = (method: string, path: string, body: unknown, fine?: readonly number[]) => Promise<unknown>;

/**
 * Speaks to the first gateway with the first project's key. Resolves with undefined for a status that is
 * `fine`.
 */
function connect(home: string): Api {
  const file = runFileIn(home);
  if (!existsSync(file)) throw new NotRunning(`no platform runs in ${home}: type 'make run' first`);
  const run = JSON.parse(readFileSync(file, "utf8")) as RunFile;
  const keys = Object.values(run.projects)[0];
  if (keys === undefined) throw new Error(`the platform in ${home} has no project`);
  const key = readFileSync(keys.apiKeyFile, "utf8").trim();
  return async (method, path, body, fine = []) => {
    const response = await fetch(`${run.edge}${path}`, {
      method,
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const text = await response.text();
    if (fine.includes(response.status)) return undefined;
    if (!response.ok) throw new Error(`${method} ${path} answers ${response.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as unknown;
  };
}
