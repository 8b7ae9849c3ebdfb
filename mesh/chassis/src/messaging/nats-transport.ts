import type { ConnectionOptions, NatsConnection } from "nats";
import { NatsConnectionImpl, setTransportFactory } from "nats/lib/nats-base-client/internal_mod.js";
import { NodeTransport, nodeResolveHost } from "nats/lib/src/node_transport.js";

/**
 * The library's transport, whose `close` ends a dial as well.
 *
 * The library gives a dial up after its time and forgets it, but not its socket: a broker that was silent (a paused
 * machine) and goes on turns it into a second connection. When that one closes, the library dials anew beside the
 * healthy one, and reads both with one parser: messages get spliced, and lost (nats 2.29.3, `_closed`).
 */
class Transport extends NodeTransport {
  #givenUp = false;

  override async connect(...args: Parameters<NodeTransport["connect"]>): Promise<void> {
    await super.connect(...args);
    if (!this.#givenUp) return;
    this.done = true;
    this.socket.destroy();
    throw new Error("the dial was given up");
  }

  override close(cause?: Error): Promise<void> {
    if (!this.connected) {
      this.#givenUp = true;
      // There is none before the connection to the broker's port stands.
      (this.socket as NodeTransport["socket"] | undefined)?.destroy();
    }
    return super.close(cause);
  }
}

/** Connects as the library's own `connect` does, over such transports. */
export function connect(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new Transport(), dnsResolveFn: nodeResolveHost });
  return NatsConnectionImpl.connect(options);
}
