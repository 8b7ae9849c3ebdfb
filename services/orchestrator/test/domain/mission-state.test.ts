import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import * as missionEvents from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_events_pb.js";
import {
  Mission_Status,
  MissionStep_Status,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import { Course } from "../../src/domain/course.ts";
import type { MissionStatus } from "../../src/domain/mission-state.ts";
import {
  ENDS,
  hasEnded,
  MISSION_STATUSES,
  NEXT,
  OPEN,
  STATUS_AFTER,
  STEP_STATUSES,
} from "../../src/domain/mission-state.ts";
import { aStep, Life, NOW } from "../mission-factory.ts";

const named = (values: object): string[] =>
  Object.keys(values).filter((key) => Number.isNaN(Number(key)) && key !== "STATUS_UNSPECIFIED");
const migration = readFileSync(new URL("../../migrations/0001_mission.sql", import.meta.url), "utf8");
const checked = (constraint: string): string[] =>
  [
    ...(
      new RegExp(`constraint ${constraint} check\\s*\\(status in \\(([^)]*)\\)`).exec(migration)?.[1] ?? ""
    ).matchAll(/'(\w+)'/g),
  ].map(([, name]) => name ?? "");

describe("the tables of a mission's steps", () => {
  test("name the statuses of the contract and of the database, and no others", () => {
    expect([...MISSION_STATUSES].sort()).toEqual(named(Mission_Status).sort());
    expect([...STEP_STATUSES].sort()).toEqual(named(MissionStep_Status).sort());
    expect(checked("mission_status").sort()).toEqual([...MISSION_STATUSES].sort());
    expect(checked("mission_step_status").sort()).toEqual([...STEP_STATUSES].sort());
    expect([...OPEN, ...ENDS].sort()).toEqual([...MISSION_STATUSES].sort());
  });

  test("name a fact for each event of the contract, and no others", () => {
    expect(Object.keys(STATUS_AFTER).sort()).toEqual(
      missionEvents.file_orrery_orchestrator_v1_mission_events.messages.map(({ name }) => name).sort(),
    );
  });

  test("let nothing leave an end", () => {
    for (const end of ENDS) expect(NEXT[end]).toEqual([]);
    expect(ENDS.every(hasEnded)).toBe(true);
    expect(OPEN.some(hasEnded)).toBe(false);
  });

  const inStatus = (status: MissionStatus) => ({ ...new Life([aStep("a")]).mission, status });
  const moment = { nowMs: NOW, newId: () => "" };

  test("make a transition that they do not have a defect", () => {
    const course = new Course(inStatus("SUCCEEDED"), moment);
    expect(() => course.move({ fact: "MissionStarted" })).toThrow("cannot take SUCCEEDED to RUNNING");
    const skipping = new Course(inStatus("RUNNING"), moment);
    const step = { name: "a", changes: { status: "UNDONE" as const } };
    expect(() => skipping.move({ fact: "MissionStepUndone", step })).toThrow("cannot go from PENDING");
  });
});
