import { expect, test } from "@jest/globals";
import { faultFrom } from "../../src/fault/wire.ts";
import { wait } from "../../src/time/wait.ts";
import type { Call } from "../../src/transport/call.ts";
import { collect, echoBed, type NoteInit } from "./echo-server.ts";
import { heldProxy } from "./held-proxy.ts";

// A connection is closed in good order at 200 ms, and pinged every 100 ms by its server.
const SHORT = { maxConnectionAgeMs: 200, pingMs: 100 };
const TICK_MS = 50;

async function* ticks(count: number): AsyncIterable<NoteInit> {
  for (let n = 1; n <= count; n += 1) {
    await wait(TICK_MS);
    yield { text: String(n) };
  }
}

test("a stream outlives the age of its connection, for as long as both sides are there", async () => {
  await using bed = await echoBed({ count: ({ text }) => ticks(Number(text)) }, SHORT);
  const client = await bed.client("gateway");
  expect(await collect(client.count({ text: "60" }))).toHaveLength(60);
});

test("on a connection that is past its age a side that hangs is noticed, and its stream is ended", async () => {
  const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
  const endless = (_: unknown, { signal }: Call) => {
    signal.addEventListener("abort", () => leave());
    return ticks(Infinity);
  };
  await using bed = await echoBed({ count: endless }, SHORT);
  await using proxy = await heldProxy(bed.server.address);
  const client = await bed.client("gateway", { addresses: [proxy.address] });
  let last = "";
  const hear = async (): Promise<void> => {
    for await (const { text } of client.count({})) {
      last = text;
      if (text === "20") proxy.hold();
    }
  };
  const failure = faultFrom(await hear().catch((error: unknown) => error));
  expect([failure.reason, last]).toEqual(["DEPENDENCY_UNAVAILABLE", "20"]);
  await gone;
});
