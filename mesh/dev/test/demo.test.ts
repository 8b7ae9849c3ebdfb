import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { demo, Refused } from "../src/demo.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "orrery-demo-"));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

/** Answers every request as a platform's gateway that knows one key; refuses jobs where it is told how. */
async function aGateway(key: string, refuses?: object) {
  const asked: string[] = [];
  const door = await listening((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume().on("end", () => {
      const answer = (status: number, body: object) =>
        response.writeHead(status, { connection: "close" }).end(JSON.stringify(body));
      if (request.headers.authorization !== `Bearer ${key}`)
        return answer(401, { title: "A valid API key is needed", detail: "The API key is not known here." });
      if (request.url !== "/v1/jobs:batchSubmit")
        return answer(200, { id: "m", status: "SUCCEEDED", endTime: "2026-01-01T00:00:00Z" });
      return answer(200, { outcomes: [refuses === undefined ? { job: { id: "j" } } : { error: refuses }] });
    });
  });
  return { ...door, asked };
}

/** Answers every request with these words. */
const aStranger = (words: string) =>
  listening((_request, response) => response.writeHead(200, { connection: "close" }).end(words));

async function listening(answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((closed) => server.close(() => closed()));
  return { edge: `http://127.0.0.1:${port}`, close, [Symbol.asyncDispose]: close };
}

/** Writes what `make run` does once a platform is ready; returns the file of its key. */
function ready(edge: string, key: string): string {
  const apiKeyFile = join(home, "api-key");
  writeFileSync(apiKeyFile, `${key}\n`);
  writeFileSync(join(home, "run.json"), JSON.stringify({ edge, projects: { demo: { apiKeyFile } } }));
  return apiKeyFile;
}

test("the demo that a platform refuses ends in one sentence, without the answer's JSON and a stack", async () => {
  await using gateway = await aGateway("another platform's");
  ready(gateway.edge, "ours");
  const child = spawn(process.execPath, [MAIN, "demo"], { env: { ...process.env, ORRERY_HOME: home } });
  const code = new Promise((exited) => child.once("exit", exited));
  expect(await text(child.stderr)).toBe(
    `${gateway.edge} answers 401 to POST /v1/queues/night:pause: ` +
      "A valid API key is needed: The API key is not known here.\n",
  );
  expect(await code).toBe(1);
});

test("the demo goes on where the platform comes back, at another port and with another key", async () => {
  const before = await aGateway("first");
  ready(before.edge, "first");
  await using after = await aGateway("second", { title: "No room", detail: "The queue is full." });
  let printed = "";
  const over = demo(home, (line) => {
    printed += `${line}\n`;
    if (line.startsWith("queue night is paused")) void before.close();
    if (line.startsWith("waiting for the platform")) ready(after.edge, "second");
  });
  await expect(over).rejects.toEqual(new Refused("a job was refused: No room: The queue is full."));
  expect(printed).toContain(`waiting for the platform: no answer from ${before.edge}`);
  expect(after.asked).toEqual(["POST /v1/jobs:batchSubmit"]);
});

test("the demo tells what else answers at the platform's port", async () => {
  await using stranger = await aStranger("<html>a cache</html>");
  ready(stranger.edge, "key");
  const said = `${stranger.edge} answers 200 to POST /v1/queues/night:pause: <html>a cache</html>`;
  await expect(demo(home, () => undefined, 0)).rejects.toEqual(new Refused(said));
});

test("the demo waits for the file of a key that is not there yet", async () => {
  await using gateway = await aGateway("key");
  const apiKeyFile = ready(gateway.edge, "key");
  rmSync(apiKeyFile);
  const printed: string[] = [];
  await demo(
    home,
    (line) => {
      printed.push(line);
      if (line.startsWith("waiting for the platform")) ready(gateway.edge, "key");
    },
    0,
  );
  expect(printed[0]).toBe(`waiting for the platform: its key is not in ${apiKeyFile}`);
});

test("the demo says at its end how to let go the jobs of the queue that it paused", async () => {
  await using gateway = await aGateway("key");
  ready(gateway.edge, "key");
  const printed: string[] = [];
  await demo(home, (line) => printed.push(line), 0);
  expect(gateway.asked[0]).toBe("POST /v1/queues/night:pause");
  expect(printed.at(-1)).toMatch(/night is still paused.*npx orrery queue resume night$/);
});
