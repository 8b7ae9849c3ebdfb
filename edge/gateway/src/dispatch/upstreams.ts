import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { Fault } from "@orrery/mesh/fault/fault";
import { type EdgeMethod, nameOf } from "./edge-methods.ts";

/** The connections to the services, by workload. */
export type Upstreams = ReadonlyMap<string, Transport>;

/** The connection to the service that serves a method. @throws Fault UNIMPLEMENTED where there is none */
export function upstreamOf(upstreams: Upstreams, edge: EdgeMethod): Transport {
  const transport = upstreams.get(edge.workload);
  if (transport === undefined) throw notServed(edge.method);
  return transport;
}

/** The refusal of an RPC that this edge does not serve. */
export function notServed(method: DescMethod): Fault {
  return new Fault("UNIMPLEMENTED", { detail: `${nameOf(method)} is not served at this edge.` });
}
