import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createTranscoder } from "@orrery/transcoder";

// What a stranger would write: serves the descriptors of the file that is named, each answer holding its request, and
// prints the port. packed.real.test.ts copies it into an empty folder, where the packed transcoder is all it has.
const [, , descriptors = ""] = process.argv;
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const transcoder = createTranscoder({
  registry,
  call: async function* echo(method, requests) {
    for await (const request of requests) yield create(method.output, { request });
  },
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url: target = "/", headers } = request;
  const answer = await transcoder.handle({ method, target, headers, body: request });
  response.writeHead(answer.status, answer.headers);
  await pipeline(Readable.from(answer.body), response);
}

const server = createServer((request, response) => void serve(request, response));
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
