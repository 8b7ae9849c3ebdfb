import { pathToFileURL } from "node:url";
import type { JsonValue } from "@bufbuild/protobuf";
import { installPeer } from "./peer-folder.ts";

const VERSION = "5.12.8";

/** The parts of fastify's API that the benchmark uses. */
interface Fastify {
  default(options: object): {
    post(path: string, handler: (request: { body: JsonValue }) => unknown): void;
    listen(options: { host: string; port: number }): Promise<string>;
  };
}

/** fastify, as its own documents use it. */
export interface FastifyPeer {
  /** Answers a path with what the handler makes of the body, and returns the port. */
  listenPost(host: string, path: string, handler: (body: JsonValue) => unknown): Promise<number>;
}

/** Installs fastify into a folder of its own, outside the workspace, the first time it is asked for. */
export async function loadFastify(folder: string): Promise<FastifyPeer> {
  const entry = await installPeer(folder, "fastify", VERSION, "fastify.js");
  const { default: fastify } = (await import(pathToFileURL(entry).href)) as Fastify;
  return {
    listenPost: async (host, path, handler) => {
      const server = fastify({ logger: false });
      server.post(path, async (request) => handler(request.body));
      return Number(new URL(await server.listen({ host, port: 0 })).port);
    },
  };
}
