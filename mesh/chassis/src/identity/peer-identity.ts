import { DEFAULT_TRUST_DOMAIN } from "../config/service-config.ts";

/** The header in which Linkerd's proxy names the workload whose certificate it verified. */
export const LINKERD_CLIENT_HEADER = "l5d-client-id";

const WORKLOAD = /^[a-z][a-z0-9_-]{0,39}$/;

/**
 * The DNS name that stands for a workload in its certificate, as Linkerd writes it.
 *
 * @see https://linkerd.io/2/features/automatic-mtls/ (identities of service accounts)
 */
export function workloadDnsName(workload: string, trustDomain = DEFAULT_TRUST_DOMAIN): string {
  return `${workload}.${trustDomain}`;
}

/** The workload that a DNS name stands for; undefined where it is not a name of the trust domain. */
export function workloadFromDnsName(name: string, trustDomain = DEFAULT_TRUST_DOMAIN): string | undefined {
  const suffix = `.${trustDomain}`;
  if (!name.endsWith(suffix)) return undefined;
  const workload = name.slice(0, -suffix.length);
  return WORKLOAD.test(workload) ? workload : undefined;
}

/**
 * The workload that a verified certificate names.
 *
 * The caller has to have verified the chain: this reads names and nothing else. A certificate that names two
 * workloads names none.
 *
 * @param subjectAltName - as Node's TLS gives it: `DNS:a.example, IP Address:127.0.0.1`
 */
export function workloadFromCertificate(
  subjectAltName: string | undefined,
  trustDomain = DEFAULT_TRUST_DOMAIN,
): string | undefined {
  // Node writes a name that holds a comma or a quote as a JSON string: such a name is not one of ours, and
  // its parts must not be taken for names (CVE-2021-44532).
  if (subjectAltName === undefined || subjectAltName.includes('"')) return undefined;
  const workloads = subjectAltName
    .split(", ")
    .filter((entry) => entry.startsWith("DNS:"))
    .map((entry) => workloadFromDnsName(entry.slice("DNS:".length), trustDomain))
    .filter((workload) => workload !== undefined);
  const names = new Set(workloads);
  return names.size === 1 ? workloads[0] : undefined;
}
