import { expect, test } from "@jest/globals";
import { policiesOf, policyOf } from "../../src/policy/method-policy.ts";
import { EchoService, OpenService } from "../transport/echo-contract.ts";

test("callers, on_behalf, deadline and retry come from the contract", () => {
  const policies = policiesOf(EchoService);
  expect(policies.get("read")).toEqual({
    callers: new Set(["gateway", "worker"]),
    onBehalf: new Set(["gateway"]),
    deadlineMs: 2_000,
    retriedByHop: true,
  });
  expect(policies.get("echo")?.retriedByHop).toBe(false);
  expect(policies.get("chat")?.deadlineMs).toBeUndefined();
});

test("an RPC without a policy is an error, not an open door", () => {
  for (const method of OpenService.methods) expect(() => policyOf(method)).toThrow("nobody may call it");
});
