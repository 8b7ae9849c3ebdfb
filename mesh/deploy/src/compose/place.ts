/** What one host with Docker has in common for all its containers. */
import { workloadDnsName } from "@orrery/mesh/identity/peer-identity";
import { PLACES, type Rung } from "../configuration.ts";
import { USER } from "../names.ts";

/** Servers that show no certificate, and are called by their plain names. */
const PLAIN = new Set(["elasticsearch", "alertmanager", "prometheus", "grafana"]);

/** How a container is called by the others: by the name in its certificate, where it has one. */
export const hostOf = (name: string): string => (PLAIN.has(name) ? name : workloadDnsName(name));

/** A leaf as the keeper lays it down, seen from inside a container. */
export const LEAF = {
  identityFile: `${PLACES.identity}/identity.pem`,
  certFile: `${PLACES.identity}/cert.pem`,
  keyFile: `${PLACES.identity}/key.pem`,
  caFile: `${PLACES.identity}/ca.pem`,
} as const;

/** The rung of one host: as on a laptop, every process proves who it is by a certificate of its own. */
export const ONE_HOST: Rung = {
  identitySource: "tls",
  host: hostOf,
  edgeTls: false,
  publicUrl: "http://localhost:8080",
  drainDelay: "0s",
  leaf: LEAF,
};

/** A role that reads every database and changes none, for the person at pgAdmin. */
export const AUDITOR = "auditor";

/** Whose leaf is whose file: the user that each image runs as. */
export const USERS = {
  ours: USER,
  postgres: 999,
  nobody: 65_534,
  pgadmin: 5_050,
} as const;
