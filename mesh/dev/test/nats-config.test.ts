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
  const speakers = WORKLOADS.filter(({ nats }) => nats !== null).map(({ name }) => name);
  expect(authorization.users.map(({ user }: { user: string }) => user)).toEqual(
    [...speakers, "operator"].map((name) => `spiffe://cluster.local/ns/orrery/sa/${name}`),
  );
  expect(tls.verify_and_map).toBe(true);
});
