import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { demoJob } from "./demo-jobs.ts";
import { demoMission } from "./demo-missions.ts";
import { readRunFile } from "./run-file.ts";

const ROUNDS = 15;
const JOBS_A_ROUND = 20;
const ROUND_MS = 1_000;
/** The missions that were launched last get so long to end. */
const MISSIONS_END_MS = 15_000;
const ANSWER_WITHIN_MS = 10_000;
/** People kill processes while they look at this: an outage is sat out for so long. */
const OUTAGE_MS = 60_000;
const ASK_AGAIN_MS = 500;

/** There is no platform to give a load to. */
export class NotRunning extends Error {}

/** The platform, or a part of it, is not there at the moment. */
class Away extends Error {}

/** It did not come back in time. */
export class StayedAway extends Error {
  constructor(last: string) {
    const fix = "look at what 'make run' printed, then type 'make demo' again";
    super(`gave up after ${OUTAGE_MS / 1_000} s (${last}): ${fix}`);
  }
}

/** The platform is there, and does not do what it is asked for. */
export class Refused extends Error {}

/** What the platform says of a refusal (RFC 9457), as far as it does. */
interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly retryable?: boolean;
}

interface Outcome {
  readonly job?: { readonly id: string };
  readonly error?: Problem;
}

/**
 * Gives a running platform something to look at: 300 jobs in 15 seconds that succeed, fail, retry, wait, expire and are
 * cancelled, a paused queue and one with a limit, and 15 missions that succeed, are undone, and run steps side by side.
 * What it leaves is ordinary data of the first project. It goes on after an outage of up to 60 seconds, also where the
 * platform comes back at another port or with other keys.
 *
 * @param roundMs - milliseconds after each round; tests give 0
 * @throws NotRunning; StayedAway; Refused
 */
export async function demo(
  home: string,
  print: (line: string) => void,
  roundMs: number = ROUND_MS,
): Promise<void> {
  if (readRunFile(home) === undefined)
    throw new NotRunning(`no platform runs in ${home}: type 'make run' first`);
  const ask = askIn(home);
  const api: Api = (...request) => sitOut(() => ask(...request), print);
  // An answer can be lost in an outage: the same keys keep a batch that is sent again from running twice.
  const run = randomUUID();
  await api("POST", "/v1/queues/night:pause", {});
  await api("PATCH", "/v1/queues/reports?updateMask=concurrency", { concurrency: 2 });
  print("queue night is paused, queue reports runs two jobs at a time");
  const missions: string[] = [];
  let submitted = 0;
  let cancelled = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = round * JOBS_A_ROUND;
    const jobs = Array.from({ length: JOBS_A_ROUND }, (_, index) => ({
      ...demoJob(first + index, Date.now()),
      idempotencyKey: `demo-${run}-${first + index}`,
    }));
    const outcomes = await sitOut(() => submit(ask, jobs), print);
    submitted += outcomes.length;
    const id = outcomes.at(-1)?.job?.id;
    // One a round is cancelled while it waits or runs; one that has ended by then answers 409, which is fine.
    if (id !== undefined && (await api("POST", `/v1/jobs/${id}:cancel`, { reason: "demo" }, [409])))
      cancelled += 1;
    const mission = { ...demoMission(round), idempotencyKey: `demo-${run}-mission-${round}` };
    missions.push(((await api("POST", "/v1/missions", mission)) as { id: string }).id);
    const jobsSoFar = `${submitted} jobs submitted, ${cancelled} cancelled`;
    print(`round ${round + 1} of ${ROUNDS}: ${jobsSoFar}; ${missions.length} missions launched`);
    await wait(roundMs);
  }
  print(`missions: ${await standing(api, missions)}`);
  print(
    "look: npx orrery job ls -q 'status:failed', npx orrery mission ls, npx orrery queue ls, or the page",
  );
  print("queue night is still paused and holds its jobs; to let them go: npx orrery queue resume night");
}

/** How missions stand once they have ended, or after 15 s: "10 SUCCEEDED, 5 COMPENSATED". */
async function standing(api: Api, ids: readonly string[]): Promise<string> {
  const until = Date.now() + MISSIONS_END_MS;
  for (;;) {
    const answers = (await Promise.all(ids.map((id) => api("GET", `/v1/missions/${id}`)))) as {
      readonly status: string;
      readonly endTime?: string;
    }[];
    if (answers.every(({ endTime }) => endTime !== undefined) || Date.now() > until) {
      const byStatus = Map.groupBy(answers, ({ status }) => status);
      return [...byStatus].map(([status, those]) => `${those.length} ${status}`).join(", ");
    }
    await wait(ASK_AGAIN_MS);
  }
}

type Api = (method: string, path: string, body?: unknown, fine?: readonly number[]) => Promise<unknown>;

async function submit(ask: Api, jobs: readonly object[]): Promise<readonly Outcome[]> {
  const { outcomes } = (await ask("POST", "/v1/jobs:batchSubmit", { jobs })) as {
    outcomes: readonly Outcome[];
  };
  const error = outcomes.find((outcome) => outcome.error !== undefined)?.error;
  if (error === undefined) return outcomes;
  throw new (error.retryable ? Away : Refused)(`a job was refused: ${wordsOf(error)}`);
}

/** Asks again while the platform is away, and says so once. */
async function sitOut<T>(ask: () => Promise<T>, print: (line: string) => void): Promise<T> {
  const until = Date.now() + OUTAGE_MS;
  for (let told = false; ; told = true) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      if (Date.now() > until) throw new StayedAway(error.message);
      if (!told) print(`waiting for the platform: ${error.message}`);
      await wait(ASK_AGAIN_MS);
    }
  }
}

/**
 * Speaks to the first gateway with the first project's key, as run.json names them at the moment. Resolves with
 * undefined for a status that is `fine`, and rejects with Away where asking again may help.
 */
const askIn =
  (home: string): Api =>
  async (method, path, body, fine = []) => {
    const { edge, key } = doorOf(home);
    const { status, text } = await fetch(`${edge}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch((error: unknown) => {
        throw new Away(`no answer from ${edge}`, { cause: error });
      });
    if (fine.includes(status)) return undefined;
    const answer = jsonIn(text);
    if (status < 400 && answer !== undefined) return answer;
    // Something else may answer at the port: then its own words are all there is.
    const problem = answer === undefined ? { detail: text.slice(0, 200) } : (Object(answer) as Problem);
    const said = `${edge} answers ${status} to ${method} ${path}: ${wordsOf(problem)}`;
    throw new (status >= 500 ? Away : Refused)(said);
  };

function doorOf(home: string): { readonly edge: string; readonly key: string } {
  const run = readRunFile(home);
  if (run === undefined) throw new Away(`no platform runs in ${home}`);
  const keys = Object.values(run.projects)[0];
  if (keys === undefined) throw new Refused(`the platform in ${home} has no project`);
  try {
    return { edge: run.edge, key: readFileSync(keys.apiKeyFile, "utf8").trim() };
  } catch (error) {
    throw new Away(`its key is not in ${keys.apiKeyFile}`, { cause: error });
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const wordsOf = ({ title, detail }: Problem): string => [title, detail].filter(Boolean).join(": ");
