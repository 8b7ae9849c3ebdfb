import { createRequire } from "node:module";

// They are large, and most of a gateway's life nobody asks for them: read once, as they are, without an import of
// every key's type.
const load = createRequire(import.meta.url);

/** The generated OpenAPI document of the edge, with this edge as its server. */
export function openApiDocument(publicUrl: string): object {
  return { ...(load("@orrery/contracts/openapi/edge.json") as object), servers: [{ url: publicUrl }] };
}

/** The generated AsyncAPI document of all events, as they are read from outside. */
export function asyncApiDocument(publicUrl: string): object {
  const document = load("@orrery/contracts/asyncapi/edge.json") as { servers: { edge: object } };
  const { host, protocol } = new URL(publicUrl);
  const edge = { ...document.servers.edge, host, protocol: protocol.replace(":", "") };
  return { ...document, servers: { edge } };
}
