import type { StateHandler } from "@orrery/contracts/pact/verification";
import { until } from "../../../mesh/chassis/src/testing/until.ts";
import type { Json } from "../../../mesh/dev/testing/json.ts";
import type { Platform } from "../../../mesh/dev/testing/platform.ts";

/** What cannot go on by itself: its second step fails behind its pivot. */
const STUCK = {
  name: "stuck",
  steps: [
    { name: "first", task: "orrery.echo", pivot: true },
    { name: "second", task: "orrery.fail", input: { message: "no", retryable: false }, maxAttempts: 1 },
  ],
};
const DONE = { name: "done", steps: [{ name: "only", task: "orrery.echo", noUndo: true }] };
const SLOW = {
  name: "slow",
  steps: [{ name: "wait", task: "orrery.sleep", input: { ms: 60_000 }, noUndo: true }],
};

/**
 * How a running platform comes to what a consumer's contract presupposes: by its own API, and for alerts by the
 * webhook. What nothing changes is made once.
 *
 * @param fireAlert - makes Alertmanager tell of an alert of this name
 */
export function providerStates(
  platform: Platform,
  fireAlert: (name: string) => Promise<void>,
): Readonly<Record<string, StateHandler>> {
  const send = async (method: string, path: string, body?: object, headers = {}): Promise<Json> => {
    const answer = await platform.send(method, path, { headers, ...(body && { body }) });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const later = () => send("POST", "/v1/jobs", { task: "orrery.echo", delay: "3600s" });
  const mission = async (declared: object, status: string) => {
    const { id } = await send("POST", "/v1/missions", declared);
    const path = `/v1/observatory/missions/${id}`;
    await until(`the mission to be ${status}`, async () => {
      const { body } = await platform.send("GET", path);
      return body.status === status;
    });
    return { id: String(id) };
  };
  let alerts = 0;
  return {
    "a job that succeeded": once(async () => {
      const { id, version } = await send("POST", "/v1/jobs", { task: "orrery.echo" }, { prefer: "wait=30" });
      await send("GET", `/v1/observatory/jobs/${id}?minVersion=${version}`);
      return { id: String(id) };
    }),
    "a job whose trace is there": once(async () => {
      const { id } = await send("POST", "/v1/jobs", { task: "orrery.echo" }, { prefer: "wait=30" });
      await until("the job's trace", async () => {
        const { body } = await platform.send("GET", `/v1/observatory/jobs/${id}/trace`);
        return ((body.spans as readonly unknown[] | undefined)?.length ?? 0) > 0;
      });
      return { id: String(id) };
    }),
    "a job that waits": async () => ({ id: String((await later()).id) }),
    "a job that was cancelled": async () => {
      const { id } = await later();
      await send("POST", `/v1/jobs/${id}:cancel`, {});
      return { id: String(id) };
    },
    "a mission that succeeded": once(() => mission(DONE, "SUCCEEDED")),
    "a mission that needs attention": () => mission(STUCK, "NEEDS_ATTENTION"),
    "a mission under way": () => mission(SLOW, "RUNNING"),
    "the queue media": once(async () => {
      await send("POST", "/v1/jobs", { task: "video.render", queue: "media", delay: "3600s" });
      return {};
    }),
    "an alert that fires": async () => {
      alerts += 1;
      const name = `Needed${alerts}At${Date.now()}`;
      await fireAlert(name);
      let id = "";
      await until(`the alert ${name}`, async () => {
        const { alerts: listed } = await send("GET", "/v1/alerts?pageSize=100");
        id = (listed as { id: string; name: string }[]).find((one) => one.name === name)?.id ?? "";
        return id !== "";
      });
      return { id };
    },
  };
}

function once(make: StateHandler): StateHandler {
  let made: ReturnType<StateHandler> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
