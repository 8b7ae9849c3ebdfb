import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { FreePorts } from "../src/free-port.ts";
import { listenLazily } from "../src/lazy-server.ts";

const BODY = "x".repeat(1_000_000);
const behind = createServer((_, response) => response.end(BODY));
beforeAll(async () => {
  behind.listen(0, "127.0.0.1");
  await once(behind, "listening");
});
afterAll(() => {
  behind.close();
});

test("the first connection boots the server, once for all, and nothing that was sent is lost", async () => {
  let boots = 0;
  const door = await new FreePorts("lazy-server.test").take();
  const lazy = await listenLazily(door, async () => {
    boots += 1;
    return (behind.address() as AddressInfo).port;
  });
  expect(boots).toBe(0);
  const get = async () =>
    (await fetch(`http://127.0.0.1:${door}`, { headers: { connection: "close" } })).text();
  const bodies = await Promise.all([get(), get(), get()]);
  expect(bodies.every((body) => body === BODY)).toBe(true);
  expect(boots).toBe(1);
  await lazy.close();
});
