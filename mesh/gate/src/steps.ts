import assert from "node:assert/strict";
import { eventually } from "../../chassis/src/testing/eventually.ts";
import { queriesWithoutData } from "../../observability/src/panel-queries.ts";
import { numberFor } from "../../observability/src/prometheus.ts";
import { screens } from "./screens.ts";
import { FAILURE_ALERT, type Step, type World } from "./world.ts";

const SUCCEEDED = 'sum(orrery_jobs_finished_total{status="SUCCEEDED"})';
const FAILURES = 40;

const within = ({ patienceMs }: World) => ({ withinMs: patienceMs, everyMs: 250 });

/** The six steps of requirement O10, each of which rests on another part of the platform. */
export const STEPS: readonly Step[] = [
  {
    name: "a job is submitted",
    restsOn: "jobs",
    run: async (world) => {
      world.succeededBefore = await numberFor(world.prometheusUrl, SUCCEEDED);
      const body = { task: "orrery.echo", input: { gate: true }, labels: { from: "gate" } };
      const headers = { prefer: "wait=20" };
      const answer = await world.platform.send("POST", "/v1/jobs", { body, headers });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.body.status, "SUCCEEDED");
      world.jobId = answer.body.id;
      return `${world.jobId} SUCCEEDED`;
    },
  },
  {
    name: "its lifecycle events are seen",
    restsOn: "nats",
    run: async (world) => {
      world.jobId = await another(world); // one that the read model has not seen yet
      return eventually(async () => {
        const { body: found } = await world.platform.send("GET", `/v1/events?q=id:${world.jobId}`);
        const names = found.events.map((event: { eventType: string }) => event.eventType.split(".").at(-1));
        assert.deepEqual(names, ["JobQueued", "JobStarted", "JobSucceeded"]);
        return names.join(", ");
      }, within(world));
    },
  },
  {
    name: "its metrics are in Prometheus",
    restsOn: "prometheus",
    run: (world) =>
      eventually(async () => {
        const now = await numberFor(world.prometheusUrl, SUCCEEDED);
        assert.ok(now > world.succeededBefore, `${now} jobs succeeded, as many as before`);
        return `${SUCCEEDED} went from ${world.succeededBefore} to ${now}`;
      }, within(world)),
  },
  {
    name: "every panel's query returns data",
    restsOn: "prometheus",
    run: (world) =>
      eventually(async () => {
        const { queries, without } = await queriesWithoutData(world.prometheusUrl);
        assert.deepEqual(without, []);
        return `${queries} of ${queries} queries`;
      }, within(world)),
  },
  {
    name: "an injected failure fires an alert",
    restsOn: "alertmanager",
    run: async (world) => {
      await failMany(world);
      return eventually(async () => {
        const { body } = await world.platform.send("GET", "/v1/alerts");
        const alert = body.alerts.find(({ name }: { name: string }) => name === FAILURE_ALERT);
        assert.ok(alert, `${FAILURE_ALERT} is not among ${body.alerts.length} alerts`);
        return `${alert.name}: ${alert.summary}`;
      }, within(world));
    },
  },
  { name: "the page and the command line show it", restsOn: "observatory", run: screens },
];

async function another({ platform }: World): Promise<string> {
  const { body } = await platform.send("POST", "/v1/jobs", {
    body: { task: "orrery.echo" },
    headers: { prefer: "wait=20" },
  });
  return body.id;
}

/** Jobs that fail for good, in a few goes: a rate is the rise between two looks of Prometheus. */
async function failMany({ platform }: World): Promise<void> {
  const jobs = Array.from({ length: FAILURES / 4 }, () => ({
    task: "orrery.fail",
    input: { message: "injected by the gate", retryable: false },
  }));
  for (let go = 0; go < 4; go += 1) {
    const { status } = await platform.send("POST", "/v1/jobs:batchSubmit", { body: { jobs } });
    assert.equal(status, 200);
    await new Promise((done) => setTimeout(done, 5_000));
  }
}
