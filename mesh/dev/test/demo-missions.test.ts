import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { CreateMissionRequestSchema } from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";
import { validateMessage } from "@orrery/mesh/transport/validation";
import { demoMission, MISSION_KINDS } from "../src/demo-missions.ts";

const missions = Array.from({ length: MISSION_KINDS }, (_, n) => demoMission(n));

test("the demo launches missions that the contract takes", () => {
  for (const mission of missions) {
    const request = fromJson(CreateMissionRequestSchema, mission as unknown as JsonValue);
    expect([mission, validateMessage(CreateMissionRequestSchema, request)]).toEqual([mission, []]);
  }
});

test("the demo shows a mission that goes through, one that is undone, and one with steps side by side", () => {
  const fails = missions.map(({ steps }) => steps.some(({ task }) => task === "orrery.fail"));
  expect(fails).toEqual([false, true, false]);
  const undone = missions[1]?.steps.filter(({ undo }) => undo !== undefined) ?? [];
  expect(undone.map(({ name }) => name)).toEqual(["flight", "hotel"]);
  expect(missions[2]?.steps.find(({ after }) => after !== undefined)?.after).toHaveLength(3);
});
