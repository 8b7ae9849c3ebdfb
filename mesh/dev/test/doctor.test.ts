import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { createAuthority, issueLeaf } from "@orrery/mesh/identity/dev-ca";
import { systemClock } from "@orrery/mesh/time/clock";
import { examine, tell } from "../src/doctor.ts";
import { replaceFile } from "../src/owned-file.ts";
import { ROOT } from "../src/places.ts";
import { runFileIn } from "../src/run-file.ts";
import { readSettings } from "../src/settings.ts";

const anchors = [...readFileSync(join(ROOT, "mesh/dev/README.md"), "utf8").matchAll(/^### (.+)$/gm)].map(
  ([, title]) => (title ?? "").toLowerCase().replaceAll(" ", "-"),
);

test("every finding is explained in a section that exists", async () => {
  const home = mkdtempSync(join(tmpdir(), "orrery-doctor-"));
  const findings = await examine(readSettings({ ORRERY_HOME: home }));
  for (const { explained } of findings) expect(anchors).toContain(explained);
  rmSync(home, { recursive: true });
});

test("a run.json whose launcher is gone is named as wrong, with where that is explained", async () => {
  const home = mkdtempSync(join(tmpdir(), "orrery-doctor-"));
  const cert = join(home, "cert.pem");
  const run = {
    pid: 2 ** 22 - 1,
    edges: [],
    services: {},
    identities: { operator: { certFile: cert } },
    caFile: cert,
  };
  replaceFile(runFileIn(home), JSON.stringify(run));
  const lastYear = { nowMs: () => systemClock.nowMs() - 365 * 86_400_000, monotonicMs: () => 0 };
  const authority = await createAuthority({ clock: lastYear });
  const expired = await issueLeaf(
    authority,
    { commonName: "operator" },
    { clock: lastYear, lifetimeMs: 60_000 },
  );
  replaceFile(cert, expired.certPem);
  const lines: string[] = [];
  const well = tell(await examine(readSettings({ ORRERY_HOME: home })), (line) => lines.push(line));
  expect(well).toBe(false);
  expect(lines.join("\n")).toMatch(
    /× launcher: process 4194303 is gone.*\n\s+see mesh\/dev\/README\.md#platform/,
  );
  expect(lines.join("\n")).toMatch(/× certificates: good until/);
  rmSync(home, { recursive: true });
});
