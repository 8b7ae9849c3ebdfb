import { create } from "@bufbuild/protobuf";
import {
  JobsService,
  type SubmitJobsRequest_Item,
  type SubmitOutcome,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import { traceIdOf } from "@orrery/mesh/telemetry/trace";
import type { Call } from "@orrery/mesh/transport/route";
import type { StepItem, SubmitSteps } from "../../application/submit-steps.ts";
import { outcomeToWire, submissionFromWire } from "./submission-wire.ts";
import { STEP_INPUT_LIMITS } from "./value-limits.ts";

/** The workload whose missions own jobs. */
const ORCHESTRATOR = "orchestrator";
const INTERNAL_INSTANCE = "";

/** Whether a call comes from the workload that owns the jobs of missions. */
export const isForMissions = ({ caller }: Call): boolean => caller === ORCHESTRATOR;

/** The refusal of a submission that names a step, or names none, where its caller may not. */
export const stepNotAllowed = (): Fault =>
  new Fault("CALLER_NOT_ALLOWED", {
    detail: "jobs of missions come from the orchestrator, and no other jobs do",
  });

/** Submits the jobs of missions. One outcome for each, in order. */
export async function submitStepItems(
  submitSteps: SubmitSteps,
  items: readonly SubmitJobsRequest_Item[],
): Promise<SubmitOutcome[]> {
  const read = items.map(stepFrom);
  const sound = read.filter((item): item is StepItem => !(item instanceof Fault));
  const submitted = sound.length === 0 ? [] : await submitSteps(sound);
  const results = new Map(sound.map((item, index) => [item, submitted[index]]));
  return items.map((item, index) => {
    const step = read[index];
    const result = step === undefined || step instanceof Fault ? step : results.get(step);
    const about = { instance: INTERNAL_INSTANCE, traceId: traceIdOf(item.caller?.traceparent) };
    if (result === undefined) throw new RangeError("a step got no outcome");
    return outcomeToWire(result instanceof Fault ? result : { job: result }, {}, about);
  });
}

function stepFrom({ caller, job, missionStep }: SubmitJobsRequest_Item): StepItem | Fault {
  if (missionStep === undefined || caller === undefined) return stepNotAllowed();
  const asked = job ?? create(JobsService.method.submitJob.input);
  const item = submissionFromWire(asked, caller, "", STEP_INPUT_LIMITS);
  if (item instanceof Fault) return item;
  const { missionId, step } = missionStep;
  return {
    ...item,
    jobId: missionStep.jobId.toLowerCase(),
    submission: { ...item.submission, missionId: missionId.toLowerCase(), step },
  };
}
