import { expect, test } from "@jest/globals";
import { stopOrder } from "../src/stop-order.ts";

test("the edge stops first and the database last, replicas together", () => {
  const names = [
    "postgres",
    "nats",
    "jobs-0",
    "jobs-1",
    "worker-0",
    "observatory-0",
    "gateway-0",
    "gateway-1",
    "later-0",
  ];
  expect(stopOrder(names)).toEqual([
    ["gateway-0", "gateway-1", "later-0"],
    ["worker-0"],
    ["observatory-0"],
    ["jobs-0", "jobs-1"],
    [],
    ["nats"],
    ["postgres"],
  ]);
});
