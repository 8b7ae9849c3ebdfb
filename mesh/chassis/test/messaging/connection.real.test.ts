import { expect, test } from "@jest/globals";
import { eventually } from "../../src/testing/eventually.ts";
import { freePort } from "../../src/testing/free-port.ts";
import { testNats } from "../../src/testing/test-nats.ts";
import { wait } from "../../src/time/wait.ts";

test("a broker that was silent for longer than a dial may take gets one connection, not one a dial", async () => {
  const monitor = await freePort();
  await using nats = await testNats({ config: { http: `127.0.0.1:${monitor}` } });
  const connection = await nats.connect("patient");
  const broker = async (): Promise<{ connections: number; total_connections: number }> =>
    (await fetch(`http://127.0.0.1:${monitor}/varz`)).json() as never;
  const before = (await broker()).total_connections;
  nats.signal("SIGSTOP");
  await connection.reconnect();
  // Longer than one dial, which is given up after five seconds.
  await wait(6_000);
  nats.signal("SIGCONT");
  await eventually(
    async () => {
      const { connections, total_connections } = await broker();
      expect(total_connections - before).toBeGreaterThanOrEqual(2);
      expect(connections).toBe(1);
      await connection.flush();
    },
    { withinMs: 5_000 },
  );
  expect((await broker()).connections).toBe(1);
}, 30_000);
