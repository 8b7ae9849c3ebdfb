import { getOption, hasOption } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { http } from "@orrery/contracts/gen/google/api/annotations_pb.js";
import { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import { method as methodOption } from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { ROUTES, WATCH_ROUTE } from "../../src/api/contract.ts";
import { targetOf } from "../../src/api/read.ts";

const rules = new Map(
  ObservatoryService.methods
    .filter((method) => hasOption(method, http))
    .map((method) => [
      method.localName,
      { rule: getOption(method, http), own: getOption(method, methodOption) },
    ]),
);

test.each(Object.entries(ROUTES))("%s is read where the contract says, and it is a reading", (name, path) => {
  const { rule, own } = rules.get(name) ?? {};
  expect(rule?.pattern).toEqual({ case: "get", value: path });
  expect(own?.scope).toBe("read");
});

test("the answers that are unwrapped are those that the contract unwraps", () => {
  const unwrapped = Object.keys(ROUTES).filter((name) => rules.get(name)?.rule.responseBody !== "");
  expect(unwrapped.sort()).toEqual(["getJob", "getMission"]);
});

test("events are watched where the contract says", () => {
  expect(rules.get("watchEvents")?.rule.pattern.value).toBe(WATCH_ROUTE);
});

test.each([
  ["/v1/jobs", { q: "", pageSize: 50 }, "/v1/jobs?pageSize=50"],
  ["/v1/jobs", { q: "status:failed created:>-1h" }, "/v1/jobs?q=status%3Afailed+created%3A%3E-1h"],
  ["/v1/jobs/{id}/history", { id: "a/b?", pageToken: undefined }, "/v1/jobs/a%2Fb%3F/history"],
])("%s with %j becomes %s", (template, parameters, target) => {
  expect(targetOf(template, parameters)).toBe(target);
});
