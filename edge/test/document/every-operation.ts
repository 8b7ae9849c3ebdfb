import { until } from "../../../mesh/chassis/src/testing/until.ts";
import type { Answer, DocumentClient, Frame, Sending } from "./document-client.ts";

/** How the world outside of the API is reached: alerts come in by a webhook of their service. */
export interface World {
  readonly client: DocumentClient;
  /** Makes Alertmanager tell of an alert of this name. */
  fireAlert(name: string): Promise<void>;
}

const NOBODY = "0199d2f4-7c1e-7a40-8f3b-000000000000";

/** One step of the tour: what is called, and how it has to end. */
export type Tour = (id: string, status: number, sending?: Sending) => Promise<Answer>;

/**
 * Calls every operation so that it succeeds, and those with a reason of their own so that they refuse for it.
 *
 * @param call - calls an operation and holds its answer to the status given
 */
export async function everyOperation(call: Tour, { fireAlert }: World, run: string): Promise<void> {
  await pages(call);
  await jobs(call, run);
  await work(call, run);
  await queues(call, run);
  await missions(call, run);
  await observatory(call, run);
  await alerts(call, fireAlert, run);
}

async function pages(call: Tour): Promise<void> {
  for (const page of ["healthz", "live", "readyz", "ready", "openapi", "asyncapi", "docs", "problems"]) {
    await call(`Pages_${page}`, 200);
  }
  await call("Pages_problem", 200, { path: { reason: "LEASE_LOST" } });
  await call("Pages_problem", 404, { path: { reason: "NO_SUCH_REASON" } });
  const runbooks = await call("Pages_runbooks", 200);
  const name = /\[([a-z0-9-]+)\]/.exec(String(runbooks.body))?.[1] ?? "";
  await call("Pages_runbook", 200, { path: { name } });
  await call("Pages_runbook", 404, { path: { name: "no-such-runbook" } });
}

async function jobs(call: Tour, run: string): Promise<void> {
  const echo = { task: "orrery.echo", input: { run }, labels: { run } };
  await call("JobsService_SubmitJob", 202, { body: echo });
  const { body: done } = await call("JobsService_SubmitJob", 200, {
    body: echo,
    headers: { Prefer: "wait=30" },
  });
  const keyed = { body: echo, headers: { "Idempotency-Key": `tour-${run}` } };
  await call("JobsService_SubmitJob", 202, keyed);
  await call("JobsService_SubmitJob", 202, keyed);
  await call("JobsService_SubmitJob", 422, { ...keyed, body: { ...echo, priority: 1 } });
  await call("JobsService_BatchSubmitJobs", 200, { body: { jobs: [echo, { task: "no task!" }] } });
  const path = { id: done.id as string };
  await call("JobsService_GetJob", 200, { path });
  await call("JobsService_GetJob", 404, { path: { id: NOBODY } });
  await call("JobsService_ListJobAttempts", 200, { path });
  await call("JobsService_ListJobAttempts", 404, { path: { id: NOBODY } });
  await call("JobsService_ListJobEvents", 200, { path, query: { pageSize: 2 } });
  await call("JobsService_ListJobEvents", 400, { path, query: { pageToken: "x" } });
  await watches(call, "JobsService_WatchJob", path, String(done.version));
  await call("JobsService_CancelJob", 409, { path, body: {} });
  await call("JobsService_RetryJob", 409, { path, body: {} });
  // Nobody serves the task: a retry of what was cancelled is queued at once, and has to be there to be cancelled again.
  const later = { task: "tour.later", delay: "3600s" };
  const { body: waiting } = await call("JobsService_SubmitJob", 202, { body: later });
  const held = { id: waiting.id as string };
  await call("JobsService_CancelJob", 200, { path: held, body: { reason: "the tour" } });
  await call("JobsService_RetryJob", 200, { path: held, body: {} });
  await call("JobsService_CancelJob", 200, { path: held, body: {} });
}

/** A watch in each of its forms: it ends by itself, since what it watches has ended. */
async function watches(call: Tour, id: string, path: Record<string, string>, last: string): Promise<void> {
  await call(id, 200, { path, accept: "text/event-stream" });
  await call(id, 200, { path, accept: "application/x-ndjson" });
  await call(id, 200, { path, accept: "application/json" });
  await call(id, 204, { path, accept: "text/event-stream", headers: { "Last-Event-ID": last } });
  await call(id, 404, { path: { id: NOBODY }, accept: "text/event-stream" });
}

async function work(call: Tour, run: string): Promise<void> {
  const queue = `tour-${run}`;
  for (let at = 0; at < 3; at += 1) {
    await call("JobsService_SubmitJob", 202, { body: { task: "tour.do", queue, input: at, maxAttempts: 1 } });
  }
  const asked = { tasks: ["tour.do"], queues: [queue], worker: "tour", max: 3, waitSeconds: 5 };
  const { body } = await call("WorkService_LeaseJobs", 200, { body: asked });
  const refs = (body.leases as { jobId: string; leaseEpoch: number }[]).map(({ jobId, leaseEpoch }) => ({
    jobId,
    leaseEpoch,
  }));
  await call("WorkService_LeaseJobs", 403, { body: { tasks: ["orrery.echo"], worker: "tour" } });
  await call("WorkService_HeartbeatAttempts", 200, { body: { worker: "tour", leases: refs } });
  const [first, second, third] = refs;
  await call("WorkService_CompleteAttempts", 200, {
    body: { results: [{ ...first, output: { ok: true } }] },
  });
  const error = { type: "BROKEN", message: "as the tour has it", retryable: false };
  await call("WorkService_FailAttempts", 200, {
    body: {
      results: [
        { ...second, error },
        { ...first, error },
      ],
    },
  });
  await call("WorkService_ReleaseAttempts", 200, { body: { leases: [third] } });
  await call("WorkService_ListWorkers", 200);
}

async function queues(call: Tour, run: string): Promise<void> {
  const queue = `tour-${run}`;
  await call("QueuesService_ListQueues", 200);
  await call("QueuesService_GetQueue", 200, { path: { queue } });
  await call("QueuesService_GetQueue", 404, { path: { queue: `never-${run}` } });
  await call("QueuesService_UpdateQueue", 200, {
    path: { queue },
    query: { updateMask: "concurrency,rate" },
    body: { concurrency: 5, rate: { limit: 100, period: "1s" } },
  });
  await call("QueuesService_PauseQueue", 200, { path: { queue }, body: {} });
  await call("QueuesService_ResumeQueue", 200, { path: { queue }, body: {} });
}

/** A mission that cannot go on by itself: its second step fails behind its pivot. */
const stuck = (run: string): object => ({
  name: `tour-${run}`,
  input: { run },
  labels: { run },
  steps: [
    { name: "first", task: "orrery.echo", pivot: true },
    { name: "second", task: "orrery.fail", input: { message: "no", retryable: false }, maxAttempts: 1 },
  ],
});

async function missions(call: Tour, run: string): Promise<void> {
  const { body } = await call("MissionsService_CreateMission", 202, { body: stuck(run) });
  const path = { id: body.id as string };
  await needsAttention(call, path.id);
  await call("MissionsService_GetMission", 404, { path: { id: NOBODY } });
  await call("MissionsService_ListMissions", 200, { query: { pageSize: 3 } });
  await call("MissionsService_ListMissions", 400, { query: { pageToken: "x" } });
  await call("MissionsService_CancelMission", 409, { path, body: {} });
  await call("MissionsService_RetryMission", 200, { path, body: {} });
  await needsAttention(call, path.id);
  await call("MissionsService_ResolveMission", 409, {
    path,
    body: { step: "first", outcome: "DONE", note: "no" },
  });
  const settled = { step: "second", outcome: "DONE", note: "done by hand" };
  await call("MissionsService_ResolveMission", 200, { path, body: settled });
  const { frames } = await call("MissionsService_WatchMission", 200, { path, accept: "text/event-stream" });
  await watches(call, "MissionsService_WatchMission", path, frames.at(-1)?.id ?? "");
  await call("MissionsService_RetryMission", 409, { path, body: {} });
  const slow = {
    name: "slow",
    steps: [{ name: "wait", task: "orrery.sleep", input: { ms: 60_000 }, noUndo: true }],
  };
  const { body: launched } = await call("MissionsService_CreateMission", 202, { body: slow });
  await call("MissionsService_CancelMission", 200, { path: { id: launched.id as string }, body: {} });
}

async function needsAttention(call: Tour, id: string): Promise<void> {
  await until(`mission ${id} to need attention`, async () => {
    const { body } = await call("MissionsService_GetMission", 200, { path: { id } });
    return body.status === "NEEDS_ATTENTION";
  });
}

async function observatory(call: Tour, run: string): Promise<void> {
  const service = "ObservatoryService";
  const { body: job, headers } = await call("JobsService_SubmitJob", 200, {
    body: { task: "orrery.echo", labels: { observed: run } },
    headers: { Prefer: "wait=30" },
  });
  const path = { id: job.id as string };
  const token = { "Orrery-Consistency-Token": headers["orrery-consistency-token"] ?? "" };
  await call(`${service}_GetJob`, 200, { path, query: { minVersion: job.version } });
  await call(`${service}_GetJob`, 504, { path, query: { minVersion: 1_000 } });
  await call(`${service}_ListJobs`, 200, {
    query: { q: `label.observed:${run}`, pageSize: 1 },
    headers: token,
  });
  await call(`${service}_ListJobs`, 400, { query: { q: "nonsense:1" } });
  await call(`${service}_ListJobAttempts`, 200, { path, headers: token });
  await call(`${service}_ListJobEvents`, 200, { path, query: { pageSize: 2 }, headers: token });
  await call(`${service}_GetJobTrace`, 200, { path, headers: token });
  const notOurs = { "Orrery-Consistency-Token": "x" };
  for (const read of ["GetOverview", "ListQueues", "ListWorkers", "GetMetrics"]) {
    await call(`${service}_${read}`, 200, { headers: token });
    await call(`${service}_${read}`, 400, { headers: notOurs });
  }
  const listed = await call(`${service}_ListMissions`, 200, {
    query: { q: `label.run:${run}`, pageSize: 5 },
  });
  await call(`${service}_ListMissions`, 400, { query: { q: "nonsense:1" } });
  const mission = { id: String(listed.body.missions[0]?.id) };
  await call(`${service}_GetMission`, 200, { path: mission });
  await call(`${service}_GetMission`, 404, { path: { id: NOBODY } });
  await call(`${service}_ListMissionEvents`, 200, { path: mission });
  await call(`${service}_GetMissionTrace`, 200, { path: mission });
  const observed = { q: `label.observed:${run}`, pageSize: 5 };
  await call(`${service}_ListEvents`, 200, { query: observed, headers: token });
  await call(`${service}_ListEvents`, 400, { query: { q: "nonsense:1" } });
  const enough = (frames: readonly Frame[]): boolean => frames.length > 0;
  const watching = call(`${service}_WatchEvents`, 200, { accept: "text/event-stream", enough });
  await until("the watch to tell of an event", async () => {
    await call("JobsService_SubmitJob", 202, { body: { task: "orrery.echo" } });
    return (await Promise.race([watching, Promise.resolve(undefined)])) !== undefined;
  });
  await call(`${service}_WatchEvents`, 400, { query: { q: "nonsense:1" }, accept: "text/event-stream" });
}

async function alerts(call: Tour, fireAlert: World["fireAlert"], run: string): Promise<void> {
  const name = `Tour${run}`;
  await fireAlert(name);
  let id = "";
  await until(`the alert ${name} to be listed`, async () => {
    const { body } = await call("ObservatoryService_ListAlerts", 200, { query: { pageSize: 100 } });
    id = (body.alerts as { id: string; name: string }[]).find((alert) => alert.name === name)?.id ?? "";
    return id !== "";
  });
  await call("AlertsService_AcknowledgeAlert", 200, { path: { id }, body: { note: "seen" } });
  await call("AlertsService_MuteAlert", 200, { path: { id }, body: { duration: "60s" } });
  await call("AlertsService_MuteAlert", 400, { path: { id }, body: {} });
  await call("AlertsService_AcknowledgeAlert", 404, { path: { id: NOBODY }, body: {} });
}
