import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { FreePorts } from "../../dev/src/free-port.ts";
import { layDown } from "../src/keeper/keeping.ts";
import { APP } from "../src/names.ts";
import { runSteps } from "../test/dockerfile-steps.ts";
import { resourcesIn, variablesIn } from "../test/resources.ts";

/** What only development needs, and what only other workspaces need. */
const UNWANTED = ["jest", "typescript", "@biomejs", "vite", "react", "@elastic", "yaml", "ajv"];

describe("an image of the worker, made without Docker by the steps of the Dockerfile", () => {
  let folder = "";
  let app = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orrery-image-"));
    app = await runSteps("services/worker", folder);
    await layDown(join(folder, "kept"), { owned: false });
  }, 240_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("holds the packages of its workspace and no others, and no test", () => {
    const packages = readdirSync(join(app, "node_modules"));
    expect(packages.filter((name) => UNWANTED.includes(name))).toEqual([]);
    expect(existsSync(join(app, "services/worker/src/main.ts"))).toBe(true);
    expect(existsSync(join(app, "services/worker/test"))).toBe(false);
    expect(existsSync(join(app, "services/jobs"))).toBe(false);
  });

  test("starts as its Deployment says, lives without its peers, and ends in order when it is told", async () => {
    const deployment = resourcesIn("platform").find(
      ({ kind, metadata }) => kind === "Deployment" && metadata.name === "worker",
    );
    const [container] = deployment?.spec.template?.spec.containers ?? [];
    const args = (container?.args ?? []).map((argument) => argument.replace(APP, app));
    const ports = new FreePorts(folder);
    const [grpc, admin] = [await ports.take(), await ports.take()];
    const env = {
      PATH: process.env.PATH,
      ...variablesIn("kubernetes/platform/worker.env"),
      ORRERY_INSTANCE: "worker-7d9c5b6f4-x2x8k",
      ORRERY_IDENTITY_FILE: join(folder, "kept/identities/worker/identity.pem"),
      ORRERY_CA_FILE: join(folder, "kept/identities/worker/ca.pem"),
      ORRERY_GRPC_ADDRESS: `127.0.0.1:${grpc}`,
      ORRERY_ADMIN_ADDRESS: `127.0.0.1:${admin}`,
      ORRERY_PEER_JOBS: "127.0.0.1:1",
      ORRERY_DRAIN_DELAY: "0s",
    };
    const child = spawn(process.execPath, args, { cwd: app, env, stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    child.stdout.resume();
    try {
      const status = async (path: string) => (await fetch(`http://127.0.0.1:${admin}${path}`)).status;
      await eventually(async () => expect(await status("/healthz")).toBe(200), { withinMs: 20_000 });
      // Behind a mesh nobody who is not named reads the metrics, and without jobs it takes no work.
      expect([await status("/readyz"), await status("/metrics")]).toEqual([503, 403]);
    } finally {
      child.kill("SIGTERM");
    }
    expect((await ended)[0]).toBe(0);
  });
});
