import { createServer, type Socket } from "node:net";
import { expect, test } from "@jest/globals";
import { faultFrom } from "../../src/fault/wire.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { echoBed } from "./echo-server.ts";

const reasonOf = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "OK",
    (error: unknown) => faultFrom(error).reason,
  );

test("a dependency that went away is refused with a pause until the server is back", async () => {
  await using bed = await echoBed();
  const client = await bed.client("gateway", { breaker: { resetMs: 200 } });
  expect((await client.echo({ text: "up" })).text).toBe("up");
  await bed.server.drain(0);
  await eventually(async () => {
    const failure = faultFrom(await client.echo({}, { timeoutMs: 500 }).catch((error: unknown) => error));
    expect(failure.reason).toBe("DEPENDENCY_UNAVAILABLE");
    expect(failure.retryAfterMs).toBeGreaterThan(0);
    expect(client.transport.breakerState()).toBe("open");
  });
  await using again = await echoBed({}, { identities: bed.identities, address: bed.server.address });
  await eventually(async () => expect((await client.echo({ text: "back" })).text).toBe("back"), {
    withinMs: 3_000,
  });
  expect(client.transport.breakerState()).toBe("closed");
  expect(again.server.address.port).toBe(bed.server.address.port);
});

test("a peer that accepts and never answers costs no more than the deadline", async () => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => void sockets.push(socket.on("error", () => {})));
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  const bound = mute.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : 0;
  await using bed = await echoBed();
  const client = await bed.client("gateway", { addresses: [{ host: "127.0.0.1", port }] });
  const startedMs = performance.now();
  const failure = faultFrom(await client.read({}, { timeoutMs: 300 }).catch((error: unknown) => error));
  expect(failure).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE", retryAfterMs: 1_000 });
  expect(performance.now() - startedMs).toBeLessThan(900);
  for (const socket of sockets) socket.destroy();
  mute.close();
});

test("a peer that answers with a defect, and a caller without time, never open the breaker", async () => {
  const { Fault } = await import("../../src/fault/fault.ts");
  await using bed = await echoBed({
    echo: async () => {
      throw new Error("a defect");
    },
    read: async () => {
      throw new Fault("DEPENDENCY_UNAVAILABLE", { detail: "the store is away", retryAfterMs: 100 });
    },
  });
  const client = await bed.client("gateway", { breaker: { volumeThreshold: 2 } });
  for (let n = 0; n < 20; n += 1) {
    expect(await reasonOf(client.echo({}))).toBe("INTERNAL");
    expect(await reasonOf(client.echo({}, { timeoutMs: -1 }))).toBe("DEADLINE_EXCEEDED");
    expect(await reasonOf(client.read({}))).toBe("DEPENDENCY_UNAVAILABLE");
  }
  expect(client.transport.breakerState()).toBe("closed");
});

test("silence opens the breaker only where the caller had the patience to call it that", async () => {
  await using bed = await echoBed({ echo: () => new Promise(() => {}) });
  const client = await bed.client("gateway", { breaker: { volumeThreshold: 2, resetMs: 60_000 } });
  const silent = (calls: number, timeoutMs: number): Promise<string[]> =>
    Promise.all(Array.from({ length: calls }, () => reasonOf(client.echo({}, { timeoutMs }))));
  expect(new Set(await silent(10, 100))).toEqual(new Set(["DEPENDENCY_UNAVAILABLE"]));
  expect(client.transport.breakerState()).toBe("closed");
  await silent(11, 1_000);
  expect(client.transport.breakerState()).toBe("open");
});

test("only an RPC that the contract lets the hop repeat is repeated, once, and a refusal never", async () => {
  await using bed = await echoBed();
  await bed.server.drain(0);
  const tries = async (method: "echo" | "read", retry: boolean): Promise<string> => {
    const client = await bed.client("gateway", { retry });
    return reasonOf(client[method]({}, { timeoutMs: 400 }));
  };
  // Both fail either way; what differs is that the repeat needs a moment before it gives up.
  expect(await tries("read", true)).toBe("DEPENDENCY_UNAVAILABLE");
  expect(await tries("echo", true)).toBe("DEPENDENCY_UNAVAILABLE");
  let entered = 0;
  const { Fault } = await import("../../src/fault/fault.ts");
  await using up = await echoBed(
    {
      read: async () => {
        entered += 1;
        throw new Fault("OVERLOADED", { detail: "busy" });
      },
    },
    { identities: bed.identities },
  );
  expect(await reasonOf((await up.client("gateway")).read({}))).toBe("OVERLOADED");
  expect(entered).toBe(1);
});
