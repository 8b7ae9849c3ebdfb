import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import {
  CancelMissionResponseSchema,
  CreateMissionResponseSchema,
  GetMissionResponseSchema,
  MissionsService,
  ResolveMissionResponseSchema,
  RetryMissionResponseSchema,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";
import { successHead } from "../../src/rest/success-head.ts";

const ID = "01890000-0000-7000-8000-00000000000a";
const mission = { id: ID, version: 7 };
const token = { "orrery-consistency-token": Buffer.from(`${ID}:7`).toString("base64url") };
const { method } = MissionsService;

describe("the head of an answer about a mission", () => {
  test("says 202 and where the mission is that was launched", () => {
    const launched = create(CreateMissionResponseSchema, { mission });
    const location = { location: `/v1/missions/${ID}` };
    expect(successHead(method.createMission, launched, false)).toEqual({
      status: 202,
      headers: { ...location, ...token },
    });
  });

  test.each([
    [method.cancelMission, CancelMissionResponseSchema],
    [method.retryMission, RetryMissionResponseSchema],
    [method.resolveMission, ResolveMissionResponseSchema],
  ])("names the version that a command left: %#", (rpc, schema) => {
    expect(successHead(rpc, create(schema, { mission }), false)).toEqual({ headers: token });
  });

  test("names no version for a read", () => {
    expect(successHead(method.getMission, create(GetMissionResponseSchema, { mission }), false)).toEqual({
      headers: {},
    });
  });
});
