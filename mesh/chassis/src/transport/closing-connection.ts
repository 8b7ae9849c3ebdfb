import type { ClientHttp2Session } from "node:http2";
import { Http2SubchannelConnector } from "@grpc/grpc-js/build/src/transport.js";

/** What grpc-js decides over before each ping of a connection, by the names that it has there. */
interface PingedConnection {
  readonly session: ClientHttp2Session;
  canSendPing(): boolean;
}

const connectors = Http2SubchannelConnector.prototype;
const { connect } = connectors;

/**
 * No connection is pinged any more that its server is closing in good order. grpc-js would go on, but Node sends no
 * ping there, and grpc-js takes that for a dead connection and cuts off the calls that the server lets end.
 *
 * @see https://github.com/grpc/grpc-node/issues/3068, until which is mended this is needed
 */
connectors.connect = async function pingedWhileOpen(...target) {
  const transport = await connect.apply(this, target);
  const connection = transport as unknown as PingedConnection;
  const canSendPing = connection.canSendPing.bind(connection);
  connection.canSendPing = () => !connection.session.closed && canSendPing();
  return transport;
};
