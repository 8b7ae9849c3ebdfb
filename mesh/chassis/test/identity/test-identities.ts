import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, bundleOf, createAuthority, issueLeaf } from "../../src/identity/dev-ca.ts";
import { type IdentityFiles, loadIdentity } from "../../src/identity/identity-files.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import { systemClock } from "../../src/time/clock.ts";

export const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  security: () => {},
  child: () => silent,
};

/** An authority in a folder of its own, which issues and renews leaves as files. */
export interface TestIdentities extends AsyncDisposable {
  readonly folder: string;
  readonly caFile: string;
  readonly authority: Authority;
  /** Writes (or replaces, at one stroke) the leaf of a workload, and returns its file. */
  issue(workload: string, lifetimeMs?: number): Promise<string>;
  /** The identity of a workload, read from its file. */
  of(workload: string, logger?: Logger): Promise<IdentityFiles>;
}

export async function testIdentities(): Promise<TestIdentities> {
  const folder = await mkdtemp(join(tmpdir(), "orrery-identity-"));
  const authority = await createAuthority({ clock: systemClock });
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, authority.certPem);
  const issue = async (workload: string, lifetimeMs = 3_600_000): Promise<string> => {
    const leaf = await issueLeaf(
      authority,
      { commonName: workload, workload },
      { clock: systemClock, lifetimeMs },
    );
    const path = join(folder, `${workload}.pem`);
    await writeFile(`${path}.next`, bundleOf(leaf), { mode: 0o600 });
    await rename(`${path}.next`, path);
    return path;
  };
  const opened: IdentityFiles[] = [];
  return {
    folder,
    caFile,
    authority,
    issue,
    of: async (workload, logger = silent) => {
      const identity = await loadIdentity({ identityFile: await issue(workload), caFile, logger });
      opened.push(identity);
      return identity;
    },
    [Symbol.asyncDispose]: async () => {
      for (const identity of opened) identity[Symbol.dispose]();
      await rm(folder, { recursive: true });
    },
  };
}
