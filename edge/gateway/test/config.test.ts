import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { gatewayConfig } from "../src/config.ts";

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gateway-"));
  const file = join(folder, "any.pem");
  await writeFile(file, "");
  env = {
    ORRERY_SERVICE: "gateway",
    ORRERY_INSTANCE: "gateway-0",
    ORRERY_GRPC_ADDRESS: "127.0.0.1:1",
    ORRERY_ADMIN_ADDRESS: "127.0.0.1:2",
    ORRERY_IDENTITY_FILE: file,
    ORRERY_CA_FILE: file,
    ORRERY_HTTP_ADDRESS: "127.0.0.1:4040",
    ORRERY_EDGE_GRPC_ADDRESS: "127.0.0.1:4041",
    ORRERY_KEYS_FILE: file,
    ORRERY_PEER_JOBS: "127.0.0.1:5,127.0.0.1:6",
    ORRERY_PEER_ORCHESTRATOR: "127.0.0.1:9",
    ORRERY_PEER_OBSERVATORY: "127.0.0.1:7",
    ORRERY_PEER_ALERTS: "127.0.0.1:8",
  };
});
afterAll(() => rm(folder, { recursive: true }));

test("what is not set has its default", () => {
  const config = gatewayConfig(env);
  expect(config.publicUrl).toBe("http://127.0.0.1:4040");
  expect(config.rateLimit).toEqual({ requests: 50_000, windowMs: 1_000 });
  expect(config.jobs).toHaveLength(2);
});

test("what is set counts", () => {
  const config = gatewayConfig({
    ...env,
    ORRERY_RATE_LIMIT: "100/1m",
    ORRERY_PUBLIC_URL: "https://edge.example/",
  });
  expect(config.publicUrl).toBe("https://edge.example");
  expect(config.rateLimit).toEqual({ requests: 100, windowMs: 60_000 });
});

test("everything that is wrong is reported at once", () => {
  const wrong = { ...env, ORRERY_RATE_LIMIT: "lots", ORRERY_HTTP_ADDRESS: "nowhere", ORRERY_PEER_JOBS: "" };
  expect(() => gatewayConfig(wrong)).toThrow(
    /ORRERY_RATE_LIMIT[\s\S]*ORRERY_PEER_JOBS|ORRERY_PEER_JOBS[\s\S]*ORRERY_RATE_LIMIT/,
  );
  expect(() => gatewayConfig(wrong)).toThrow(/ORRERY_HTTP_ADDRESS/);
});
