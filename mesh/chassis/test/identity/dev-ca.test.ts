import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { describe, expect, test } from "@jest/globals";
import { type Authority, bundleOf, createAuthority, issueLeaf } from "../../src/identity/dev-ca.ts";
import { workloadFromCertificate } from "../../src/identity/peer-identity.ts";
import { systemClock } from "../../src/time/clock.ts";

const clock = systemClock;
const leafOf = (authority: Authority, workload: string) =>
  issueLeaf(authority, { commonName: workload, workload }, { clock, lifetimeMs: 60_000 });

/** A server that wants a certificate of its authority; resolves with what it saw of the client. */
async function shake(
  server: Authority,
  client: Authority,
): Promise<{ workload?: string | undefined; failure?: string }> {
  const [own, theirs] = await Promise.all([leafOf(server, "jobs"), leafOf(client, "gateway")]);
  const listener = createServer({
    ...{ key: own.keyPem, cert: own.certPem, ca: server.certPem },
    ...{ requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" },
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const seen = new Promise<{ workload?: string | undefined; failure?: string }>((done) => {
    listener.once("secureConnection", (socket: TLSSocket) => {
      done({ workload: workloadFromCertificate(socket.getPeerCertificate().subjectaltname) });
    });
    listener.once("tlsClientError", (error) => done({ failure: error.message }));
  });
  const socket = connect({
    ...{ host: "127.0.0.1", port: (listener.address() as AddressInfo).port },
    ...{ key: theirs.keyPem, cert: theirs.certPem, ca: server.certPem },
  });
  socket.on("error", () => undefined);
  const outcome = await seen;
  socket.destroy();
  listener.close();
  return outcome;
}

describe("the development authority", () => {
  test("issues leaves that two workloads know each other by", async () => {
    const authority = await createAuthority({ clock });
    expect(await shake(authority, authority)).toEqual({ workload: "gateway" });
  });

  test("a leaf of another authority is refused", async () => {
    const [one, other] = await Promise.all([createAuthority({ clock }), createAuthority({ clock })]);
    expect(await shake(one, other)).toEqual({ failure: expect.any(String) });
  });

  test("a leaf lives as long as asked, names its workload three ways, and cannot sign", async () => {
    const authority = await createAuthority({ clock });
    const leaf = await leafOf(authority, "worker");
    const certificate = new X509Certificate(leaf.certPem);
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(new X509Certificate(authority.certPem).publicKey)).toBe(true);
    expect(certificate.subjectAltName?.split(", ")).toEqual([
      "DNS:worker.orrery.serviceaccount.identity.linkerd.cluster.local",
      "DNS:localhost",
      "IP Address:127.0.0.1",
      "URI:spiffe://cluster.local/ns/orrery/sa/worker",
    ]);
    expect(leaf.notAfterMs - clock.nowMs()).toBeLessThanOrEqual(60_000);
  });

  test("a leaf without a workload is a role and names no workload", async () => {
    const authority = await createAuthority({ clock });
    const leaf = await issueLeaf(authority, { commonName: "jobs_owner" }, { clock, lifetimeMs: 60_000 });
    const certificate = new X509Certificate(leaf.certPem);
    expect(certificate.subject).toBe("CN=jobs_owner");
    expect(certificate.subjectAltName).toBeUndefined();
  });

  test("two leaves of one workload have different serial numbers", async () => {
    const authority = await createAuthority({ clock });
    const leaves = await Promise.all([leafOf(authority, "jobs"), leafOf(authority, "jobs")]);
    const serials = leaves.map(({ certPem }) => new X509Certificate(certPem).serialNumber);
    expect(serials[0]).not.toBe(serials[1]);
  });

  test("a bundle holds one key and its certificate", async () => {
    const leaf = await leafOf(await createAuthority({ clock }), "jobs");
    const bundle = bundleOf(leaf);
    expect(bundle.match(/BEGIN PRIVATE KEY/g)).toHaveLength(1);
    expect(bundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  });
});
