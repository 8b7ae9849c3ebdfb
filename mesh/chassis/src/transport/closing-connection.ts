import type { Http2Server, Http2Session } from "node:http2";
import { Server, type ServerCredentials } from "@grpc/grpc-js";
import { Http2SubchannelConnector } from "@grpc/grpc-js/build/src/transport.js";

/** The names in grpc-js under which a client and a server come by their connections. */
interface ClientConnection {
  readonly session: Http2Session;
}
interface ConnectionServer {
  createHttp2Server(credentials: ServerCredentials): Http2Server;
}

const connectors = Http2SubchannelConnector.prototype;
const { connect } = connectors;
const servers = Server.prototype as unknown as ConnectionServer;
const { createHttp2Server } = servers;

connectors.connect = async function connectMended(...target) {
  const transport = await connect.apply(this, target);
  askWhileClosing((transport as unknown as ClientConnection).session);
  return transport;
};

servers.createHttp2Server = function createMended(credentials) {
  return createHttp2Server.call(this, credentials).on("session", askWhileClosing);
};

/**
 * Lets a connection be asked whether the other side is there while it is closed in good order, too, as its calls may
 * end by themselves then. Node sends no ping there, which grpc-js takes for a dead connection and cuts them off.
 * SETTINGS without any are sent, and everybody has to answer them as well.
 *
 * @see https://github.com/grpc/grpc-node/issues/3068, until which is mended this is needed
 */
function askWhileClosing(session: Http2Session): void {
  const ping = session.ping.bind(session);
  const ask = (answered: (failure: Error | null) => void): boolean => {
    if (!session.closed) return ping(answered);
    session.settings({}, answered);
    return true;
  };
  Object.assign(session, { ping: ask });
}
