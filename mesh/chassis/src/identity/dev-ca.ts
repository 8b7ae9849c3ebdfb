import "reflect-metadata";
import { createHash, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Clock } from "../time/clock.ts";
import { workloadDnsName } from "./peer-identity.ts";

/** An authority of our own making, for one machine: nobody else trusts it. PEM; the key is a secret. */
export interface Authority {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A certificate of an authority with its key, PEM. */
export interface Leaf {
  readonly certPem: string;
  readonly keyPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Who a leaf speaks for. */
export interface LeafSubject {
  /** The CN: what PostgreSQL takes as the role. */
  readonly commonName: string;
  /** The workload named in the SANs; absent for a leaf that is a database role and nothing else. */
  readonly workload?: string;
}

const DAY_MS = 86_400_000;
const AUTHORITY_LIFETIME_MS = 3_650 * DAY_MS;
/** Clocks of two processes differ, and a leaf is used in the instant it is made. */
const BACKDATE_MS = 60_000;
const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * Makes an authority: EC P-256, valid for ten years, able to sign leaves and no further authority.
 *
 * @see RFC 5280, sections 4.2.1.3 (key usage) and 4.2.1.9 (basic constraints)
 */
export async function createAuthority(options: { clock: Clock }): Promise<Authority> {
  const keys = await newKeys();
  const nowMs = options.clock.nowMs();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: await serialOf(keys.publicKey),
    name: "CN=Orrery development authority",
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + AUTHORITY_LIFETIME_MS),
    signingAlgorithm: KEY_ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: certificate.toString("pem"), keyPem: await privatePem(keys.privateKey) };
}

/**
 * Issues a leaf for client and server use. A workload's leaf names it three ways: the DNS name that Linkerd
 * would give it, a SPIFFE URI (NATS maps that to a user), and this machine (`localhost`, 127.0.0.1).
 *
 * @param options.lifetimeMs - milliseconds from now until it expires, 1,000 to 30 days
 */
export async function issueLeaf(
  authority: Authority,
  subject: LeafSubject,
  options: { clock: Clock; lifetimeMs: number },
): Promise<Leaf> {
  const issuer = new x509.X509Certificate(authority.certPem);
  const keys = await newKeys();
  const nowMs = options.clock.nowMs();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: await serialOf(keys.publicKey),
    subject: [{ CN: [subject.commonName] }],
    issuer: issuer.subject,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + options.lifetimeMs),
    signingAlgorithm: KEY_ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await signingKey(authority.keyPem),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      ...(subject.workload === undefined ? [] : [namesOf(subject.workload)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return {
    certPem: certificate.toString("pem"),
    keyPem: await privatePem(keys.privateKey),
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
  };
}

/** The SPIFFE identity of a workload, as NATS knows it. @see the SPIFFE ID standard, section 2 */
export const spiffeId = (workload: string): string => `spiffe://cluster.local/ns/orrery/sa/${workload}`;

/**
 * One file that holds key and certificate, so that a reader can never pair the key of one leaf with
 * another's.
 */
export const bundleOf = (leaf: Leaf): string => `${leaf.keyPem.trimEnd()}\n${leaf.certPem.trimEnd()}\n`;

const namesOf = (workload: string) =>
  new x509.SubjectAlternativeNameExtension([
    { type: "dns", value: workloadDnsName(workload) },
    { type: "dns", value: "localhost" },
    { type: "ip", value: "127.0.0.1" },
    { type: "url", value: spiffeId(workload) },
  ]);

const newKeys = () => webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);

const signingKey = (pem: string) =>
  webcrypto.subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(pem), KEY_ALGORITHM, false, ["sign"]);

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/**
 * A serial number that no other leaf carries: taken from the key, which is new each time.
 *
 * @see RFC 5280, section 4.1.2.2: positive, at most 20 bytes
 */
async function serialOf(publicKey: webcrypto.CryptoKey): Promise<string> {
  const spki = await webcrypto.subtle.exportKey("spki", publicKey);
  return `5a${createHash("sha256").update(Buffer.from(spki)).digest("hex").slice(0, 30)}`;
}
