import { type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { EventEnvelopeSchema } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import { JobSchema } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import {
  GetMetricsResponseSchema,
  GetOverviewResponseSchema,
  ListAlertsResponseSchema,
  ListQueuesResponseSchema,
  ListWorkersResponseSchema,
} from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import { MissionSchema } from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import { detailedJob, sampleHistory, sampleJob } from "./sample-jobs.ts";
import { sampleMission } from "./sample-missions.ts";
import {
  FRESH,
  SAMPLE_ALERTS,
  SAMPLE_METRICS,
  SAMPLE_OVERVIEW,
  SAMPLE_QUEUES,
  sampleWorkers,
} from "./sample-platform.ts";

/** Through JSON, as it travels; the codec refuses a field that the contract does not have. */
const read = (schema: DescMessage, value: unknown) =>
  fromJson(schema, JSON.parse(JSON.stringify(value)) as JsonValue);

test.each<[string, DescMessage, unknown]>([
  ["a job", JobSchema, detailedJob(sampleJob(12))],
  ["a mission", MissionSchema, sampleMission(2)],
  ["an event", EventEnvelopeSchema, sampleHistory(sampleJob(12))[2]],
  ["the overview", GetOverviewResponseSchema, SAMPLE_OVERVIEW],
  ["the metrics", GetMetricsResponseSchema, SAMPLE_METRICS],
  ["alerts", ListAlertsResponseSchema, { alerts: SAMPLE_ALERTS, asOf: FRESH.asOf, lagMs: FRESH.lagMs }],
  ["queues", ListQueuesResponseSchema, { queues: SAMPLE_QUEUES }],
  ["workers", ListWorkersResponseSchema, { workers: sampleWorkers() }],
])("%s of the stand-in is one of the contract's", (_, schema, value) => {
  expect(() => read(schema, value)).not.toThrow();
});
