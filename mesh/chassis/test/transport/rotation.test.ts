import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { expect, test } from "@jest/globals";
import { eventually } from "../../src/testing/eventually.ts";
import { wait } from "../../src/time/wait.ts";
import { testIdentities } from "../identity/test-identities.ts";
import { echoBed, type NoteInit } from "./echo-server.ts";

test("leaves are replaced under load: no call fails and a stream that was open goes on", async () => {
  await using identities = await testIdentities();
  await using bed = await echoBed({}, { identities, maxConnectionAgeMs: 400 });
  const client = await bed.client("gateway");
  const stop = new AbortController();
  const seen = new Set<string>();
  let calls = 0;
  let failed: unknown;

  const heard: string[] = [];
  const words = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
  const chat = (async () => {
    const say = async function* (): AsyncIterable<NoteInit> {
      yield { text: "before" };
      yield { text: await words[0].promise };
    };
    for await (const { text } of client.chat(say())) heard.push(text);
  })();
  await eventually(() => expect(heard).toEqual(["BEFORE"]));

  const load = Array.from({ length: 8 }, async () => {
    while (!stop.signal.aborted) {
      await client.echo({ text: "x" }).catch((failure: unknown) => {
        failed ??= failure;
      });
      calls += 1;
    }
  });
  const lifetimeMs = 20_000;
  for (let rotation = 0; rotation < 5; rotation += 1) {
    await identities.issue("echo", lifetimeMs);
    await identities.issue("gateway", lifetimeMs);
    const before = seen.size;
    await eventually(async () => {
      seen.add(await leafSerial(bed.server.address.port, identities.authority.certPem));
      expect(seen.size).toBe(before + 1);
    });
    // Connections live for 400 ms: each is replaced under one of the leaves.
    await wait(300);
  }
  stop.abort();
  await Promise.all(load);
  words[0].resolve("after");
  await chat;
  expect(failed).toBeUndefined();
  expect(heard).toEqual(["BEFORE", "AFTER"]);
  expect(calls).toBeGreaterThan(100);
});

test("a bundle whose key and certificate do not belong together is not taken into use", async () => {
  await using identities = await testIdentities();
  const { writeFile, readFile } = await import("node:fs/promises");
  const warnings: string[] = [];
  const { silent } = await import("../identity/test-identities.ts");
  const logger = { ...silent, warn: (message: string) => void warnings.push(message) };
  const identity = await identities.of("echo", logger);
  const before = identity.current();
  const [key] = (await readFile(await identities.issue("other"), "utf8")).split(
    "-----BEGIN CERTIFICATE-----",
  );
  await writeFile(`${identities.folder}/echo.pem`, `${key}${before.certPem}`);
  await eventually(() => expect(warnings.length).toBeGreaterThan(0));
  expect(identity.current()).toBe(before);
  await identities.issue("echo");
  await eventually(() => expect(identity.current().certPem).not.toBe(before.certPem));
});

// The serial of the leaf that a new handshake is shown.
function leafSerial(port: number, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(
    { port, host: "127.0.0.1", ca, ALPNProtocols: ["h2"], servername: "localhost" },
    () => {
      const { raw } = socket.getPeerCertificate();
      resolve(new X509Certificate(raw).serialNumber);
      socket.destroy();
    },
  );
  socket.on("error", reject);
  return promise;
}
