import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHealth } from "../health/health.ts";
import { bundleOf, createAuthority, issueLeaf } from "../identity/dev-ca.ts";
import { type IdentityFiles, loadIdentity } from "../identity/identity-files.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { systemClock } from "../time/clock.ts";
import { type GrpcServer, listenGrpc } from "../transport/grpc-server.ts";
import type { Route } from "../transport/route.ts";
import { onlyDeclared } from "./declared-reasons.ts";
import { quietLogger } from "./quiet-logger.ts";

const LEAF_MS = 3_600_000;

/** Identities of a test's own authority, in a folder that goes with the test. */
export interface TestIdentities extends AsyncDisposable {
  readonly folder: string;
  readonly caFile: string;
  /** The file of a workload's key and certificate. */
  fileOf(workload: string): string;
  load(workload: string): Promise<IdentityFiles>;
}

/** Issues a leaf to each of these workloads, an hour long. */
export async function testIdentities(workloads: readonly string[]): Promise<TestIdentities> {
  const folder = await mkdtemp(join(tmpdir(), "orrery-identities-"));
  const authority = await createAuthority({ clock: systemClock });
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, authority.certPem);
  const fileOf = (workload: string): string => join(folder, `${workload}.pem`);
  for (const workload of workloads) {
    const lifetime = { clock: systemClock, lifetimeMs: LEAF_MS };
    const leaf = await issueLeaf(authority, { commonName: workload, workload }, lifetime);
    await writeFile(fileOf(workload), bundleOf(leaf), { mode: 0o600 });
  }
  return {
    folder,
    caFile,
    fileOf,
    load: (workload) => loadIdentity({ identityFile: fileOf(workload), caFile, logger: quietLogger }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Serves routes as a workload, over mutual TLS, on a free port unless told which. What is refused with a reason that
 * its proto does not declare is answered with INTERNAL.
 */
export async function serveAs(
  identity: IdentityFiles,
  workload: string,
  routes: readonly Route[],
  port = 0,
): Promise<GrpcServer> {
  const health = createHealth({ logger: quietLogger });
  health.started();
  return listenGrpc({
    address: { host: "127.0.0.1", port },
    routes: routes.map(onlyDeclared),
    identitySource: "tls",
    identity,
    health,
    reflection: false,
    logger: quietLogger,
    metrics: createMetrics({ service: workload, defaults: false }),
  });
}
