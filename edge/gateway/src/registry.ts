import { createRegistry, type DescService, type Registry } from "@bufbuild/protobuf";
import { file_google_api_annotations } from "@orrery/contracts/gen/google/api/annotations_pb.js";
import { file_google_rpc_error_details } from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import { file_orrery_alerts_v1_alert_events } from "@orrery/contracts/gen/orrery/alerts/v1/alert_events_pb.js";
import {
  AlertsService,
  file_orrery_alerts_v1_alerts_service,
} from "@orrery/contracts/gen/orrery/alerts/v1/alerts_service_pb.js";
import { file_orrery_jobs_v1_job_events } from "@orrery/contracts/gen/orrery/jobs/v1/job_events_pb.js";
import {
  file_orrery_jobs_v1_jobs_service,
  JobsService,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import {
  file_orrery_jobs_v1_queues_service,
  QueuesService,
} from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import {
  file_orrery_jobs_v1_work_service,
  WorkService,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import {
  file_orrery_observatory_v1_observatory_service,
  ObservatoryService,
} from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import { file_orrery_options_v1_options } from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { file_orrery_orchestrator_v1_mission_events } from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_events_pb.js";
import {
  file_orrery_orchestrator_v1_missions_service,
  MissionsService,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";

/**
 * The services behind the edge. A new one is a line here, its files in `REGISTRY`, its replicas in config.ts
 * and its connection in main.ts.
 */
export const SERVICES: readonly DescService[] = [
  JobsService,
  WorkService,
  QueuesService,
  MissionsService,
  ObservatoryService,
  AlertsService,
];

/** Every type that the edge reads or writes, and the options that its routes are made from. */
export const REGISTRY: Registry = createRegistry(
  file_google_api_annotations,
  file_google_rpc_error_details,
  file_orrery_options_v1_options,
  file_orrery_jobs_v1_job_events,
  file_orrery_jobs_v1_jobs_service,
  file_orrery_jobs_v1_work_service,
  file_orrery_jobs_v1_queues_service,
  file_orrery_orchestrator_v1_mission_events,
  file_orrery_orchestrator_v1_missions_service,
  file_orrery_observatory_v1_observatory_service,
  file_orrery_alerts_v1_alert_events,
  file_orrery_alerts_v1_alerts_service,
);
