import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/**
 * Listens on a loopback port for a server that takes long to boot and may never be needed: the first
 * connection boots it, and every connection is joined to it.
 *
 * @param boot - starts the server and resolves with its port once it answers; called at most once
 * @returns `close` stops listening and ends every connection
 */
export async function listenLazily(
  port: number,
  boot: () => Promise<number>,
): Promise<{ close(): Promise<void> }> {
  const open = new Set<Socket>();
  let booted: Promise<number> | undefined;
  const listener = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", (error) => process.stderr.write(`${error.message}\n`));
    booted ??= boot();
    booted.then(
      (target) => join(open, socket, connect(target, "127.0.0.1")),
      (error: unknown) => socket.destroy(error instanceof Error ? error : undefined),
    );
  });
  listener.listen(port, "127.0.0.1");
  await once(listener, "listening");
  listener.unref();
  return {
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((done) => listener.close(done));
    },
  };
}

function join(open: Set<Socket>, from: Socket, to: Socket): void {
  for (const [one, other] of [[from, to] as const, [to, from] as const]) {
    open.add(one);
    one.setNoDelay(true);
    one.on("error", () => other.destroy());
    one.on("close", () => {
      open.delete(one);
      other.end(); // not destroy: what was read is still to be delivered
    });
    one.pipe(other);
  }
}
