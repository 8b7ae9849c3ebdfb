import { expect, test } from "@jest/globals";
import { faultFrom } from "../../src/fault/wire.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { type EchoClient, echoBed } from "./echo-server.ts";
import { heldProxy } from "./held-proxy.ts";

const answersOf = (client: EchoClient, calls: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: calls }, () =>
      client.echo({}).then(
        ({ text }) => text,
        (error: unknown) => faultFrom(error).reason,
      ),
    ),
  );

test("addresses that hang are left within seconds, and the one that answers is called throughout", async () => {
  const named = (text: string) => ({ echo: async () => ({ text }) });
  await using bed = await echoBed(named("one"));
  await using other = await echoBed(named("two"), { identities: bed.identities });
  await using third = await echoBed(named("three"), { identities: bed.identities });
  await using first = await heldProxy(other.server.address);
  await using second = await heldProxy(third.server.address);
  const client = await bed.client("gateway", {
    addresses: [first.address, bed.server.address, second.address],
  });
  await eventually(async () =>
    expect(new Set(await answersOf(client, 30))).toEqual(new Set(["one", "two", "three"])),
  );
  first.hold();
  second.hold();
  await eventually(async () => {
    const answers = await answersOf(client, 30);
    expect(client.transport.breakerState()).toBe("closed");
    expect(new Set(answers)).toEqual(new Set(["one"]));
  });
});

test("calls that are lost with one address do not open the breaker while another stands", async () => {
  let entered = 0;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const waits = (text: string) => ({
    read: async () => ({ text }),
    echo: async () => {
      entered += 1;
      await released;
      return { text };
    },
  });
  await using bed = await echoBed(waits("one"));
  await using other = await echoBed(waits("two"), { identities: bed.identities });
  await using proxy = await heldProxy(other.server.address);
  const breaker = { volumeThreshold: 2, errorThresholdPercentage: 10 };
  const client = await bed.client("gateway", { addresses: [bed.server.address, proxy.address], breaker });
  await eventually(async () => expect((await client.read({})).text).toBe("two"));
  const waiting = answersOf(client, 20);
  await eventually(() => expect(entered).toBe(20));
  proxy.cut();
  release();
  const answers = Object.groupBy(await waiting, (answer) => answer);
  expect([answers.one?.length, answers.DEPENDENCY_UNAVAILABLE?.length]).toEqual([10, 10]);
  expect(client.transport.breakerState()).toBe("closed");
});
