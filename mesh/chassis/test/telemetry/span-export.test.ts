import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Agent } from "node:https";
import { createServer, request } from "node:https";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { expect, test } from "@jest/globals";
import { bundleOf, createAuthority, issueLeaf } from "../../src/identity/dev-ca.ts";
import { systemClock } from "../../src/time/clock.ts";

const load = createRequire(import.meta.url);
const { IdentityAgent } = load("../../src/telemetry/span-export.cjs") as {
  IdentityAgent: new (identityFile: string, caFile: string) => Agent;
};

test("the collector is shown the leaf that is in use when a connection is made", async () => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-spans-"));
  const [caFile, identityFile] = [join(folder, "ca.pem"), join(folder, "jobs.pem")];
  const authority = await createAuthority({ clock: systemClock });
  const leafOf = (workload: string) =>
    issueLeaf(authority, { commonName: workload, workload }, { clock: systemClock, lifetimeMs: 60_000 });
  writeFileSync(caFile, authority.certPem);
  const rotate = async () => writeFileSync(identityFile, bundleOf(await leafOf("jobs")));
  await rotate();

  const shown: string[] = [];
  const bundle = bundleOf(await leafOf("observatory"));
  const options = { key: bundle, cert: bundle, ca: authority.certPem, requestCert: true };
  const server = createServer(options, (incoming, answer) => {
    const socket = incoming.socket as TLSSocket;
    if (socket.authorized) shown.push(socket.getPeerCertificate().serialNumber);
    answer.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new IdentityAgent(identityFile, caFile);
  const post = async (headers: Record<string, string> = {}) => {
    const sent = request(`https://127.0.0.1:${port}/v1/traces`, { method: "POST", agent, headers });
    sent.end("{}");
    const [answer] = await once(sent, "response");
    answer.resume();
    await once(answer, "end");
  };
  try {
    await post({ connection: "close" });
    await rotate();
    await post();
    await post();
    expect(shown).toHaveLength(3);
    expect(shown[1]).not.toBe(shown[0]);
    expect(shown[2]).toBe(shown[1]);
  } finally {
    agent.destroy();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
