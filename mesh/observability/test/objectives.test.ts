import { resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import { SloSchema } from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { buildImage, type Contract, type Rpc, readContract } from "@orrery/contracts/image/contract-image";
import { budgetMinutes, type Objective, objectivesOf } from "../src/slo/objectives.ts";
import { errorsSeries, OUR_FAULTS, sloRules } from "../src/slo/rules.ts";

const contract = readContract(await buildImage(".", resolve(import.meta.dirname, "../../..")));
const objectives = objectivesOf(contract);
const only = (workload: string, group: string, indicator: string, point: string): Objective => {
  const found = objectives.filter(
    (one) =>
      one.workload === workload && one.group === group && one.indicator === indicator && one.point === point,
  );
  const [objective] = found;
  if (objective === undefined || found.length > 1) throw new Error(`${found.length} objectives`);
  return objective;
};

/** The contract with another promise for one RPC. */
function promising(
  rpcName: string,
  slo: { availability: number; latencyMs?: number; latencyShare?: number },
): Contract {
  const { availability, latencyMs, latencyShare = 0 } = slo;
  const latency = latencyMs === undefined ? {} : { latency: durationFromMs(latencyMs) };
  const promise = create(SloSchema, { availability, latencyShare, ...latency });
  const rpcs = contract.rpcs.map((rpc): Rpc => {
    return rpc.name === rpcName ? { ...rpc, rules: { ...rpc.rules, slo: promise } } : rpc;
  });
  return { ...contract, rpcs };
}

describe("the objectives", () => {
  test("cover every RPC but the streams, which promise nothing", () => {
    const covered = new Set(
      objectives.flatMap(({ rpcs }) => rpcs.map(({ service, method }) => `${service}/${method}`)),
    );
    const uncovered = contract.rpcs.filter(({ name }) => !covered.has(name));
    expect(uncovered.filter(({ method }) => method.methodKind === "unary").map(({ name }) => name)).toEqual(
      [],
    );
    expect(uncovered.length).toBeGreaterThan(0);
  });

  test("are what the contract says: 43.2 minutes a month for a submit, within 250 ms, or a second for a batch", () => {
    expect(budgetMinutes(only("jobs", "submit", "availability", "server"))).toBeCloseTo(43.2);
    const bounds = only("jobs", "submit", "latency", "server").rpcs.map(({ method, latencySeconds }) => [
      method,
      latencySeconds,
    ]);
    expect(bounds).toEqual(
      expect.arrayContaining([
        ["SubmitJob", 0.25],
        ["BatchSubmitJobs", 1],
      ]),
    );
  });

  test("leave the latency of a long poll out and hold it to its availability", () => {
    const methods = (indicator: string) =>
      only("jobs", "work", indicator, "server").rpcs.map(({ method }) => method);
    expect(methods("availability")).toContain("LeaseJobs");
    expect(methods("latency")).not.toContain("LeaseJobs");
  });

  test("are measured at the edge exactly where there is a route", () => {
    expect(only("jobs", "submit", "availability", "edge").rpcs.map(({ method }) => method)).toContain(
      "SubmitJob",
    );
    expect(objectives.some(({ group, point }) => group === "internal" && point === "edge")).toBe(false);
  });
});

describe("a promise that cannot be held is refused by name", () => {
  test.each([
    [
      "orrery.jobs.v1.JobsService/WatchJob",
      { availability: 0.999, latencyMs: 250, latencyShare: 0.95 },
      "stream",
    ],
    [
      "orrery.jobs.v1.JobsService/SubmitJob",
      { availability: 0.999, latencyMs: 300, latencyShare: 0.95 },
      "histogram",
    ],
    [
      "orrery.jobs.v1.JobsService/SubmitJob",
      { availability: 0.9, latencyMs: 250, latencyShare: 0.95 },
      "differs",
    ],
    [
      "orrery.jobs.v1.JobsService/SubmitJob",
      { availability: 0.999, latencyMs: 250, latencyShare: 0.5 },
      "differs",
    ],
    [
      "orrery.alerts.v1.AlertsService/MuteAlert",
      { availability: 1, latencyMs: 500, latencyShare: 0.95 },
      "differs",
    ],
  ])("%s with %j: %s", (rpc, slo, words) => {
    expect(() => objectivesOf(promising(rpc, slo))).toThrow(words);
    expect(() => objectivesOf(promising(rpc, slo))).toThrow("orrery.");
  });

  test("a promise of everything leaves no budget", () => {
    const rpcs = contract.rpcs.filter(({ service }) => service.workload === "alerts");
    const all = rpcs.map((rpc) => ({
      ...rpc,
      rules: { ...rpc.rules, slo: create(SloSchema, { availability: 1 }) },
    }));
    expect(() => objectivesOf({ ...contract, rpcs: all })).toThrow("between 0 and 1");
  });
});

describe("the rules", () => {
  const groups = sloRules(objectives);
  const rules = groups.flatMap((group) => group.rules);

  test("measure every objective over every window that an alert looks at", () => {
    const alerts = rules.flatMap((rule) => ("alert" in rule ? [rule.expr] : []));
    const windows = [...new Set(alerts.join("\n").match(/ratio_rate\w+/g))];
    expect(windows).toHaveLength(7);
    for (const window of windows) {
      const record = errorsSeries(window.replace("ratio_rate", ""));
      expect(rules.filter((rule) => "record" in rule && rule.record === record)).toHaveLength(
        objectives.length,
      );
    }
  });

  test("count a code as ours in one list, and no answer to what a caller did", () => {
    expect(OUR_FAULTS).not.toContain("NOT_FOUND");
    const text = JSON.stringify(rules);
    expect(text).toContain(OUR_FAULTS.join("|"));
  });

  test("keep the number of series by service and class, not by RPC", () => {
    const labels = new Set(rules.flatMap((rule) => Object.keys(rule.labels)));
    expect([...labels].sort()).toEqual(["at", "class", "service", "severity", "sli", "slo"]);
  });
});
