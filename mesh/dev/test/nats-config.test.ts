import { expect, test } from "@jest/globals";
import { WORKLOADS } from "@orrery/mesh/topology";
import { natsConfig } from "../src/nats-config.ts";

test("only workloads with permissions, and the operator, are users; each is a SPIFFE identity", () => {
  const node = {
    port: 1,
    monitorPort: 2,
    storeDir: "s",
    identityFile: "i",
    caFile: "c",
    workloads: WORKLOADS,
  };
  const { authorization, tls } = JSON.parse(natsConfig(node));
  expect(authorization.users.map(({ user }: { user: string }) => user)).toEqual([
    "spiffe://cluster.local/ns/orrery/sa/jobs",
    "spiffe://cluster.local/ns/orrery/sa/observatory",
    "spiffe://cluster.local/ns/orrery/sa/operator",
  ]);
  expect(tls.verify_and_map).toBe(true);
});
