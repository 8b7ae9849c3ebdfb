import type { DescMethod, Message } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type CancelJobResponse,
  JobsService,
  type RetryJobResponse,
  type SubmitJobResponse,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import {
  type GetJobResponse,
  type GetMissionResponse,
  ObservatoryService,
} from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import {
  type CancelMissionResponse,
  type CreateMissionResponse,
  MissionsService,
  type ResolveMissionResponse,
  type RetryMissionResponse,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";

/** What a successful answer says in its status and headers, beyond the message. */
export interface SuccessHead {
  status?: number;
  headers: Record<string, string>;
}

/** @param waitedToTheEnd - the job that was submitted has ended meanwhile, as `Prefer: wait` asked */
export function successHead(method: DescMethod, message: Message, waitedToTheEnd: boolean): SuccessHead {
  switch (method) {
    case JobsService.method.submitJob: {
      const { job } = message as SubmitJobResponse;
      if (job === undefined) return { headers: {} };
      const location = { location: `/v1/jobs/${job.id}` };
      return {
        status: waitedToTheEnd ? 200 : 202,
        headers: { ...location, ...consistencyToken(job) },
      };
    }
    case JobsService.method.cancelJob:
    case JobsService.method.retryJob: {
      const { job } = message as CancelJobResponse | RetryJobResponse;
      return { headers: { ...(job && consistencyToken(job)) } };
    }
    case MissionsService.method.createMission: {
      const { mission } = message as CreateMissionResponse;
      if (mission === undefined) return { headers: {} };
      const location = { location: `/v1/missions/${mission.id}` };
      return { status: 202, headers: { ...location, ...consistencyToken(mission) } };
    }
    case MissionsService.method.cancelMission:
    case MissionsService.method.retryMission:
    case MissionsService.method.resolveMission: {
      const { mission } = message as CancelMissionResponse | RetryMissionResponse | ResolveMissionResponse;
      return { headers: { ...(mission && consistencyToken(mission)) } };
    }
    case ObservatoryService.method.getJob:
    case ObservatoryService.method.getMission: {
      const { asOf, lagMs } = message as GetJobResponse | GetMissionResponse;
      return { headers: { ...freshness(asOf), "orrery-lag-ms": String(lagMs) } };
    }
    default:
      return { headers: {} };
  }
}

/** Names the state that a write left: given to a read of the read model, the answer is at least that new. */
function consistencyToken({ id, version }: { id: string; version: number }): Record<string, string> {
  return { "orrery-consistency-token": Buffer.from(`${id}:${version}`).toString("base64url") };
}

function freshness(asOf: Timestamp | undefined): Record<string, string> {
  return asOf === undefined ? {} : { "orrery-as-of": timestampDate(asOf).toISOString() };
}
