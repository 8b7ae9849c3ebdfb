import { describe, expect, test } from "@jest/globals";
import { orrery } from "./command-line.ts";
import { fakeEdge, json } from "./fake-edge.ts";

const ID = "01890000-0000-7000-8000-00000000000b";
const alert = {
  id: ID,
  name: "ServiceDown",
  severity: "CRITICAL",
  status: "FIRING",
  startTime: "2026-01-01T00:00:00Z",
  summary: "jobs does not answer",
  runbook: "service-down",
};

describe("alerts", () => {
  test("are listed from the read side, resolved ones when asked for", async () => {
    await using edge = await fakeEdge({ "GET /v1/alerts": json({ alerts: [alert], lagMs: 0 }) });
    const { stdout } = await orrery(["alert", "ls"], edge);
    expect(stdout).toContain(
      `${ID}\tcritical\tFIRING\tServiceDown\t2026-01-01T00:00:00Z\tjobs does not answer`,
    );
    await orrery(["alerts", "ls", "--all"], edge);
    expect(edge.came.map(({ query }) => query.get("includeResolved"))).toEqual([null, "true"]);
  });

  test("are taken on and muted", async () => {
    await using edge = await fakeEdge({
      [`POST /v1/alerts/${ID}:acknowledge`]: json({ ...alert, status: "ACKNOWLEDGED" }),
      [`POST /v1/alerts/${ID}:mute`]: json({ ...alert, status: "MUTED" }),
    });
    expect((await orrery(["alert", "ack", ID, "--note", "on it"], edge)).stdout).toBe(
      `${ID}\tACKNOWLEDGED\n`,
    );
    expect((await orrery(["alert", "mute", ID], edge)).stdout).toBe(`${ID}\tMUTED\n`);
    await orrery(["alert", "mute", ID, "--until", "2026-02-01T00:00:00Z", "--note", "release"], edge);
    expect(edge.came.map(({ body }) => body)).toEqual([
      '{"note":"on it"}',
      '{"duration":"3600s"}',
      '{"untilTime":"2026-02-01T00:00:00Z","note":"release"}',
    ]);
    const both = ["alert", "mute", ID, "--for", "1h", "--until", "2026-02-01T00:00:00Z"];
    expect((await orrery(both, edge)).code).toBe(2);
  });

  test("have their runbook printed, by the alert's id or the runbook's name", async () => {
    await using edge = await fakeEdge({
      "GET /v1/alerts": json({ alerts: [alert] }),
      "GET /runbooks/service-down": (_, response) => {
        response.writeHead(200, { "content-type": "text/markdown" }).end("# Service down\n\nLook.\n");
      },
    });
    for (const name of [ID, "ServiceDown", "service-down"]) {
      expect(await orrery(["alert", "runbook", name], edge)).toMatchObject({
        code: 0,
        stdout: "# Service down\n\nLook.\n",
      });
    }
    expect((await orrery(["alert", "runbook", "unheard-of"], edge)).code).toBe(3);
  });
});
