import { readdirSync, readFileSync } from "node:fs";
import { type DescFile, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { http } from "@orrery/contracts/gen/google/api/annotations_pb.js";
import { file_orrery_alerts_v1_alert_events } from "@orrery/contracts/gen/orrery/alerts/v1/alert_events_pb.js";
import { AlertsService } from "@orrery/contracts/gen/orrery/alerts/v1/alerts_service_pb.js";
import { file_orrery_jobs_v1_job_events } from "@orrery/contracts/gen/orrery/jobs/v1/job_events_pb.js";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { QueuesService } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import {
  MethodRules_Exposure as Exposure,
  event,
  method as methodRules,
  MethodRules_Repeat as Repeat,
  service as serviceRules,
} from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { Problem_ReasonSchema, reason_rules } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { file_orrery_orchestrator_v1_mission_events } from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_events_pb.js";
import { MissionsService } from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";
import { WORKLOADS } from "@orrery/mesh/topology";
import { parse } from "yaml";

const services: readonly DescService[] = [
  JobsService,
  WorkService,
  QueuesService,
  MissionsService,
  ObservatoryService,
  AlertsService,
];
const eventFiles = [
  file_orrery_jobs_v1_job_events,
  file_orrery_orchestrator_v1_mission_events,
  file_orrery_alerts_v1_alert_events,
];
const rpcs = services.flatMap((service) =>
  service.methods.map((rpc) => ({ name: `${service.typeName}/${rpc.name}`, rpc })),
);
const surface = parse(readFileSync(new URL("../surface.yaml", import.meta.url), "utf8")) as {
  routes: string[];
  rpcs: Record<string, string[]>;
  events: string[];
};
const workloads: readonly string[] = WORKLOADS.map(({ name }) => name);

describe("every RPC", () => {
  test("of every proto is held to these rules", () => {
    const protos = readdirSync(new URL("../../proto/orrery", import.meta.url), {
      recursive: true,
      encoding: "utf8",
    });
    const declared = protos.filter((path) => path.endsWith("_service.proto")).length;
    expect(new Set(services.map(({ file }) => file.name)).size).toBe(declared);
  });

  test.each(rpcs)(
    "$name says who may call it, how a repeat behaves, and where it is reached from",
    ({ rpc }) => {
      expect(hasOption(rpc, methodRules)).toBe(true);
      const rules = getOption(rpc, methodRules);
      expect(rules.exposure).not.toBe(Exposure.EXPOSURE_UNSPECIFIED);
      expect(rules.repeat).not.toBe(Repeat.REPEAT_UNSPECIFIED);
      expect(rules.callers).not.toEqual([]);
      expect(workloads).toEqual(expect.arrayContaining(rules.callers));
      expect(rules.callers).toEqual(expect.arrayContaining(rules.onBehalf));
    },
  );

  test.each(rpcs)(
    "$name has a route exactly when it is reached from outside and is not bidirectional",
    ({ rpc }) => {
      const rules = getOption(rpc, methodRules);
      const outside = rules.exposure === Exposure.EDGE && rpc.methodKind !== "bidi_streaming";
      expect(hasOption(rpc, http)).toBe(outside);
      expect(rules.scope === "").toBe(rules.exposure === Exposure.INTERNAL);
    },
  );

  test.each(rpcs)("$name has a deadline unless it streams without an end", ({ rpc }) => {
    expect(getOption(rpc, methodRules).deadline === undefined).toBe(rpc.methodKind !== "unary");
  });

  test.each(rpcs)("$name has a request and a response of its own", ({ rpc }) => {
    expect(rpc.input.name).toBe(`${rpc.name}Request`);
    expect(rpc.output.name).toBe(`${rpc.name}Response`);
  });
});

describe("every reason", () => {
  test.each(Problem_ReasonSchema.values.filter(({ number }) => number !== 0))(
    "$name has a code, a status, a title, a cause and a fix",
    (reason) => {
      expect(hasOption(reason, reason_rules)).toBe(true);
      const rules = getOption(reason, reason_rules);
      expect(rules.code).toBeGreaterThan(0);
      expect(rules.httpStatus).toBeGreaterThanOrEqual(400);
      for (const text of [rules.title, rules.cause, rules.fix]) expect(text).not.toBe("");
    },
  );
});

describe("every enum", () => {
  test("starts with an UNSPECIFIED value that says so", () => {
    const enums = services.flatMap(({ file }) => enumsOf(file));
    expect(enums.filter(([, zero]) => !zero.endsWith("_UNSPECIFIED"))).toEqual([]);
    expect(enums.length).toBeGreaterThan(3);
  });
});

describe("the surface", () => {
  test("holds exactly the routes of the contract", () => {
    const routes = rpcs.flatMap(({ rpc }) => {
      if (!hasOption(rpc, http)) return [];
      const { pattern } = getOption(rpc, http);
      return [`${pattern.case?.toUpperCase()} ${typeof pattern.value === "string" ? pattern.value : ""}`];
    });
    expect(routes.sort()).toEqual([...surface.routes].sort());
  });

  test("holds exactly the RPCs of the contract", () => {
    const named = Object.fromEntries(
      services.map(({ typeName, methods }) => [typeName, methods.map(({ name }) => name)]),
    );
    expect(named).toEqual(surface.rpcs);
  });

  test("holds exactly the events of the contract", () => {
    const events = eventFiles
      .flatMap(({ messages }) => messages)
      .filter((message) => hasOption(message, event));
    expect(events.map(({ name }) => name)).toEqual(surface.events);
  });

  test("names the workload that serves each service", () => {
    for (const service of services) expect(workloads).toContain(getOption(service, serviceRules).workload);
  });
});

function enumsOf(file: DescFile): readonly (readonly [string, string])[] {
  const seen = new Map<string, string>();
  const visit = (one: DescFile): void => {
    if (!one.name.startsWith("orrery/")) return;
    const nested = one.messages.flatMap((message) => [message, ...message.nestedMessages]);
    for (const { nestedEnums } of nested) {
      for (const { typeName, values } of nestedEnums) seen.set(typeName, values[0]?.name ?? "");
    }
    for (const { typeName, values } of one.enums) seen.set(typeName, values[0]?.name ?? "");
    one.dependencies.forEach(visit);
  };
  visit(file);
  return [...seen];
}
