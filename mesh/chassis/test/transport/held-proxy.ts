import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Address } from "../../src/config/read-config.ts";

/** Stands before a server and passes bytes on, until it is told not to. */
export interface HeldProxy extends AsyncDisposable {
  readonly address: Address;
  /** From here on it accepts and passes nothing on, as a process that is stopped does. */
  hold(): void;
  /** Ends the connections that are open. */
  cut(): void;
}

export async function heldProxy(server: Address): Promise<HeldProxy> {
  const sockets = new Set<Socket>();
  let held = false;
  const proxy = createServer((near) => {
    const far = connect(server);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => void (held || to.write(chunk)));
      from.on("error", () => from.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    address: { host: "127.0.0.1", port: (proxy.address() as AddressInfo).port },
    hold: () => {
      held = true;
    },
    cut,
    [Symbol.asyncDispose]: () => {
      cut();
      return new Promise((resolve) => proxy.close(() => resolve()));
    },
  };
}
