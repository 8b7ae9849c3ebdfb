import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { workerConfig } from "../src/config.ts";

const file = fileURLToPath(import.meta.url);
const ENV = {
  ORRERY_SERVICE: "worker",
  ORRERY_INSTANCE: "worker-0",
  ORRERY_GRPC_ADDRESS: "127.0.0.1:0",
  ORRERY_ADMIN_ADDRESS: "127.0.0.1:0",
  ORRERY_IDENTITY_FILE: file,
  ORRERY_CA_FILE: file,
  ORRERY_PEER_JOBS: "127.0.0.1:7001,127.0.0.1:7002",
};

test("a worker needs to know its peers only; the rest has defaults", () => {
  expect(workerConfig(ENV)).toMatchObject({
    jobs: [
      { host: "127.0.0.1", port: 7001 },
      { host: "127.0.0.1", port: 7002 },
    ],
    slots: 100,
    threads: 1,
    httpAllow: [],
    workDrainMs: 5_000,
  });
});

test("everything that is wrong with the environment is said at once", () => {
  const { ORRERY_PEER_JOBS: _peers, ...rest } = ENV;
  const start = () => workerConfig({ ...rest, ORRERY_WORKER_SLOTS: "10001", ORRERY_WORKER_THREADS: "0" });
  expect(start).toThrow(/ORRERY_PEER_JOBS[\s\S]*ORRERY_WORKER_SLOTS[\s\S]*10000[\s\S]*ORRERY_WORKER_THREADS/);
});
