import { expect, test } from "@jest/globals";
import { stopOrder } from "../src/stop-order.ts";

test("who watches stops first, then the edge, and the database last, replicas together", () => {
  const names = [
    ...[
      "postgres",
      "nats",
      "jobs-0",
      "jobs-1",
      "worker-0",
      "observatory-0",
      "alerts-0",
      "gateway-0",
      "gateway-1",
    ],
    ...["later-0", "alertmanager", "prometheus"],
  ];
  expect(stopOrder(names).filter((group) => group.length > 0)).toEqual([
    ["prometheus"],
    ["alertmanager"],
    ["gateway-0", "gateway-1", "later-0"],
    ["worker-0"],
    ["alerts-0"],
    ["jobs-0", "jobs-1"],
    ["observatory-0"],
    ["nats"],
    ["postgres"],
  ]);
});
