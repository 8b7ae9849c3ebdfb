import { expect, test } from "@jest/globals";
import { workloadFromCertificate, workloadFromDnsName } from "../../src/identity/peer-identity.ts";

const DOMAIN = "orrery.serviceaccount.identity.linkerd.cluster.local";

test.each([
  [`DNS:gateway.${DOMAIN}, DNS:localhost, IP Address:127.0.0.1`, "gateway"],
  [`DNS:localhost, DNS:gateway.${DOMAIN}`, "gateway"],
  [`DNS:gateway.${DOMAIN}, DNS:gateway.${DOMAIN}`, "gateway"],
])("%s names %s", (names, workload) => {
  expect(workloadFromCertificate(names)).toBe(workload);
});

test.each([
  [undefined],
  [""],
  ["DNS:localhost"],
  [`DNS:${DOMAIN}`],
  [`DNS:a.b.${DOMAIN}`],
  [`DNS:gateway.${DOMAIN}.evil.example`],
  [`DNS:gateway.other.${DOMAIN.slice(7)}`],
  [`URI:gateway.${DOMAIN}`],
  [`DNS:Gateway.${DOMAIN}`],
  [`DNS:gateway.${DOMAIN}, DNS:operator.${DOMAIN}`],
  [`DNS:"x, DNS:operator.${DOMAIN}"`],
])("%s names nobody", (names) => {
  expect(workloadFromCertificate(names)).toBeUndefined();
});

test("another trust domain has other names", () => {
  expect(workloadFromDnsName("gateway.example.test", "example.test")).toBe("gateway");
  expect(workloadFromDnsName(`gateway.${DOMAIN}`, "example.test")).toBeUndefined();
});
