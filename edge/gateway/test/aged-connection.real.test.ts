import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "@jest/globals";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { uuidV7 } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import { LIMITS } from "../src/http/limits.ts";

// A connection is closed in good order at 200 ms, and pinged every 100 ms.
Object.assign(LIMITS, { grpcAgeMs: 200, grpcPingMs: 100 });
const { auth, startTestBed } = await import("./gateway-factory.ts");

const FRAMES = 40;

test("a watch over gRPC outlives the age of its connection", async () => {
  await using bed = await startTestBed({
    jobs: {
      watchJob: async function* () {
        for (let version = 1; version <= FRAMES; version += 1) {
          yield { id: String(version), event: "JobLeased" };
          await wait(50);
        }
      },
    },
  });
  const baseUrl = `https://localhost:${bed.gateway.edgeGrpc.port}`;
  const transport = createGrpcTransport({ baseUrl, nodeOptions: { ca: bed.caPem } });
  const headers = auth();
  const watched = createClient(JobsService, transport).watchJob({ id: uuidV7() }, { headers });
  let heard = 0;
  for await (const _ of watched) heard += 1;
  expect(heard).toBe(FRAMES);
});
