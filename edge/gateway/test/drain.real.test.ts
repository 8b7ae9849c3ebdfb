import { Agent, request } from "node:http";
import { expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, startTestBed } from "./gateway-factory.ts";

/** Submits over a connection that is kept, as a client in a loop. @returns `202`, `202 close`, or the error's code */
function submit(url: string, agent: Agent): Promise<string> {
  const headers = { ...auth(), "content-type": "application/json" };
  return new Promise((answered) => {
    const sent = request(`${url}/v1/jobs`, { method: "POST", agent, headers }, (response) => {
      const last = response.headers.connection === "close" ? " close" : "";
      response.on("end", () => answered(`${response.statusCode}${last}`)).resume();
    });
    sent.on("error", (error: NodeJS.ErrnoException) => answered(error.code ?? error.message));
    sent.end(JSON.stringify({ task: "t" }));
  });
}

test("a gateway that drains answers what comes on open connections, as the last of each, and resets none", async () => {
  await using bed = await startTestBed({ jobs: new FakeJobs().implementation });
  const answers: string[][] = [];
  const clients = Array.from({ length: 8 }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const own: string[] = [];
    answers.push(own);
    while (own.at(-1) !== "ECONNREFUSED" && own.length < 100_000) own.push(await submit(bed.url, agent));
    agent.destroy();
  });
  await eventually(() => expect(answers.flat().length).toBeGreaterThan(100));
  await bed.gateway.drain(10_000);
  await Promise.all(clients);
  for (const own of answers) {
    expect(own.slice(-2)).toEqual(["202 close", "ECONNREFUSED"]);
    expect(new Set(own.slice(0, -2))).toEqual(new Set(["202"]));
  }
}, 30_000);
