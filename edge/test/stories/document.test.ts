import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { verifyHttp } from "@orrery/contracts/pact/verification";
import { lastRelease, RELEASE_FILES, RELEASES, type RecordedEvent } from "@orrery/contracts/schema/released";
import { Platform } from "../../../mesh/dev/testing/platform.ts";
import { DocumentClient } from "../document/document-client.ts";
import { everyOperation, type Tour } from "../document/every-operation.ts";
import { OpenApiDocument } from "../document/openapi-document.ts";
import { providerStates } from "../document/provider-states.ts";
import { RequestMaker } from "../document/request-maker.ts";
import { eventReaders, readWire } from "../document/wire-events.ts";

const SEED = Number(process.env.SEED ?? 4040);
/** Requests of each operation that are made from the document. */
const TRIES = 40;

describe("the OpenAPI document that the edge serves", () => {
  let platform: Platform;
  let document: OpenApiDocument;
  beforeAll(async () => {
    platform = await Platform.start();
    const served = await fetch(`${platform.run.edge}/openapi.json`);
    document = new OpenApiDocument((await served.json()) as object);
  }, 240_000);
  afterAll(async () => platform[Symbol.asyncDispose](), 90_000);

  const newClient = () => new DocumentClient(document, { edge: platform.run.edge, key: platform.key() });

  test("tells the truth about every operation: each succeeds, refuses, and answers as it says", async () => {
    const client = newClient();
    const lies = new Set<string>();
    const call: Tour = async (id, status, sending) => {
      const answer = await client.call(id, sending);
      for (const lie of answer.lies) lies.add(lie);
      if (answer.status !== status)
        lies.add(`${id} answered ${answer.status} and not ${status}: ${JSON.stringify(answer.body)}`);
      return answer;
    };
    await everyOperation(call, { client, fireAlert: fireAlert(platform) }, `r${Date.now().toString(36)}`);
    for (const { id, needsKey } of document.operations.values()) {
      const path = Object.fromEntries(
        (document.operations.get(id)?.parameters ?? [])
          .filter((one) => one.in === "path")
          .map(({ name }) => [name, "x"]),
      );
      if (needsKey) await call(id, 401, { path, key: null });
    }
    expect([...lies]).toEqual([]);
    const driven = [...client.seen].map(([id, statuses]) => ({ id, statuses: [...statuses.keys()] }));
    const succeeded = driven.filter(({ statuses }) => statuses.some((status) => status < 300));
    expect(succeeded.map(({ id }) => id).sort()).toEqual([...document.operations.keys()].sort());
    const refused = driven
      .filter(({ statuses }) => statuses.some((status) => status >= 400))
      .map(({ id }) => id);
    for (const { id, needsKey } of document.operations.values()) if (needsKey) expect(refused).toContain(id);
    const calls = [...client.seen.values()]
      .flatMap((statuses) => [...statuses.values()])
      .reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `${driven.length} operations driven, ${refused.length} of them refused too, ${calls} calls\n`,
    );
  }, 240_000);

  test("shows bodies that the edge takes, whatever becomes of them", async () => {
    const client = newClient();
    const refused: string[] = [];
    let shown = 0;
    for (const { id, examples, parameters } of document.operations.values()) {
      const named = parameters.filter((one) => one.in === "path").map(({ name }) => name);
      const path = Object.fromEntries(named.map((name) => [name, name === "id" ? randomUUID() : "shown"]));
      for (const example of examples as object[]) {
        // Every example shows the same key, and a key stands for one request.
        const body = "idempotencyKey" in example ? { ...example, idempotencyKey: randomUUID() } : example;
        const answer = await client.call(id, { path, body });
        shown += 1;
        if ([400, 415, 422].includes(answer.status)) refused.push(`${id}: ${JSON.stringify(answer.body)}`);
      }
    }
    process.stdout.write(`${shown} examples of bodies sent\n`);
    expect(refused).toEqual([]);
    expect(shown).toBeGreaterThan(15);
  }, 60_000);

  test("is joined by an edge that gives the command line and the page what they were recorded to need", async () => {
    const held = await verifyHttp("edge", {
      url: platform.run.edge,
      key: platform.key(),
      states: providerStates(platform, fireAlert(platform)),
    });
    process.stdout.write(`consumer contracts of the edge: ${JSON.stringify(held)}\n`);
    expect(Object.keys(held)).toEqual(["cli", "page"]);
  }, 120_000);

  test("holds for requests that are made from it: none gets a 5xx, nor what it does not declare", async () => {
    const client = newClient();
    const maker = new RequestMaker(document, SEED);
    const found = new Set<string>();
    const counts = { calls: 0, wrong: 0, succeeded: 0, refused: 0 };
    for (const operation of document.operations.values()) {
      for (let at = 0; at < TRIES; at += 1) {
        const { wrong, ...sending } = maker.next(operation);
        const enough = operation.path.endsWith(":watch") ? () => true : undefined;
        // A watch of everything says nothing until something happens: it is asked for something that is refused.
        const query = operation.id.endsWith("WatchEvents")
          ? { ...sending.query, q: "nonsense:1" }
          : sending.query;
        const answer = await client.call(operation.id, { ...sending, query, ...(enough && { enough }) });
        counts.calls += 1;
        counts.wrong += Number(wrong !== undefined);
        counts.succeeded += Number(answer.status < 300);
        counts.refused += Number(answer.status >= 400);
        for (const lie of answer.lies) found.add(lie);
        if (answer.status >= 500 && answer.body.reason !== "PROJECTION_BEHIND") {
          found.add(
            `${operation.id} answered ${answer.status} to ${JSON.stringify(sending).slice(0, 400)}: ` +
              JSON.stringify(answer.body),
          );
        }
      }
    }
    process.stdout.write(`seed ${SEED}: ${JSON.stringify(counts)}\n`);
    expect([...found]).toEqual([]);
  }, 300_000);

  test("is joined by schemas that every event on the wire fits, after all of the above", async () => {
    const readers = eventReaders();
    const read = [];
    for (const stream of ["ORRERY_JOBS", "ORRERY_ORCHESTRATOR", "ORRERY_ALERTS"])
      read.push(await readWire(platform.run, stream, readers));
    for (const { stream, counts, readByRelease } of read) {
      const sum = [...counts.values()].reduce((left, right) => left + right, 0);
      process.stdout.write(
        `${stream}: ${sum} events of ${counts.size} kinds, each held against its schema, ` +
          `and ${readByRelease} against that of the last release\n`,
      );
      expect([stream, counts.size > 0]).toEqual([stream, true]);
    }
    expect(read.flatMap(({ problems }) => problems)).toEqual([]);
    if (process.env.RECORD_EVENTS !== undefined) keepEvents(read.flatMap(({ firsts }) => firsts));
  }, 120_000);
});

/** Keeps what was on the wire beside the last release: what later code has to read. */
function keepEvents(events: readonly RecordedEvent[]): void {
  const path = join(RELEASES, lastRelease().version, RELEASE_FILES.events);
  writeFileSync(path, `[\n${events.map((event) => JSON.stringify(event)).join(",\n")}\n]\n`);
}

/** Tells the alerts service of an alert, as Alertmanager would. */
function fireAlert(platform: Platform): (name: string) => Promise<void> {
  return async (name) => {
    const [alerts] = platform.run.services.alerts ?? [];
    const alert = {
      status: "firing",
      labels: { alertname: name, severity: "warning" },
      annotations: { summary: "The tour is under way.", description: "Nothing is the matter." },
      startsAt: new Date().toISOString(),
      endsAt: "0001-01-01T00:00:00Z",
      fingerprint: name.toLowerCase(),
    };
    const body = JSON.stringify({ version: "4", status: "firing", alerts: [alert] });
    const answer = await platform.admin(`${alerts?.admin}/webhooks/alertmanager`, "alertmanager", body);
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  };
}
