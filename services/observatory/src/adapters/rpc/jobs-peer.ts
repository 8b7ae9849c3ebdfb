import type { Client } from "@connectrpc/connect";
import type { QueuesService } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import type { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { callHeaders } from "@orrery/mesh/transport/route";
import type { AskedFor, JobsPeer } from "../../application/ports.ts";

/** The jobs service over gRPC, asked on behalf of whoever asks us. */
export function jobsPeer(clients: {
  readonly queues: Client<typeof QueuesService>;
  readonly work: Client<typeof WorkService>;
}): JobsPeer {
  const options = (askedFor: AskedFor) => ({
    headers: callHeaders(askedFor),
    signal: askedFor.signal,
    timeoutMs: askedFor.timeoutMs,
  });
  const asFault = (error: unknown): never => {
    throw faultFrom(error);
  };
  return {
    async listQueues(askedFor) {
      return (await clients.queues.listQueues({}, options(askedFor)).catch(asFault)).queues;
    },
    async listWorkers(askedFor) {
      return await clients.work.listWorkers({}, options(askedFor)).catch(asFault);
    },
  };
}
