import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import type { CallOptions } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createHealth } from "../../src/health/health.ts";
import type { IdentityFiles } from "../../src/identity/identity-files.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import type { Call } from "../../src/transport/call.ts";
import {
  createGrpcTransport,
  type GrpcTransport,
  type GrpcTransportOptions,
} from "../../src/transport/grpc-client.ts";
import { type GrpcServer, type GrpcServerOptions, listenGrpc } from "../../src/transport/grpc-server.ts";
import { type Implementation, serve } from "../../src/transport/route.ts";
import { type TestIdentities, testIdentities } from "../identity/test-identities.ts";
import { EchoService, type Note } from "./echo-contract.ts";

export type NoteInit = Partial<Note>;
type Init = MessageInitShape<DescService["methods"][number]["output"]>;

/** What a test may put in place of an RPC. */
export interface EchoHandlers {
  echo?(note: Note, call: Call): Promise<NoteInit>;
  read?(note: Note, call: Call): Promise<NoteInit>;
  join?(notes: AsyncIterable<Note>, call: Call): Promise<NoteInit>;
  count?(note: Note, call: Call): AsyncIterable<NoteInit>;
  chat?(notes: AsyncIterable<Note>, call: Call): AsyncIterable<NoteInit>;
  reserved?(note: Note, call: Call): Promise<NoteInit>;
}

/** The client's side of the contract, as the tests use it. */
export interface EchoClient {
  echo(note: NoteInit, options?: CallOptions): Promise<Note>;
  read(note: NoteInit, options?: CallOptions): Promise<Note>;
  join(notes: AsyncIterable<NoteInit>, options?: CallOptions): Promise<Note>;
  count(note: NoteInit, options?: CallOptions): AsyncIterable<Note>;
  chat(notes: AsyncIterable<NoteInit>, options?: CallOptions): AsyncIterable<Note>;
  reserved(note: NoteInit, options?: CallOptions): Promise<Note>;
}

const DEFAULTS: Required<EchoHandlers> = {
  echo: async (note) => ({ text: note.text, items: note.items, labels: note.labels }),
  read: async (note) => ({ text: note.text }),
  join: async (notes) => {
    let text = "";
    for await (const note of notes) text += note.text;
    return { text };
  },
  count: async function* (note) {
    for (let n = 1; n <= Number(note.text); n += 1) yield { text: String(n) };
  },
  chat: async function* (notes) {
    for await (const note of notes) yield { text: note.text.toUpperCase() };
  },
  reserved: async () => ({ text: "secret" }),
};

/** A real server on a port of its own with real certificates, and clients to it. Released together. */
export interface EchoBed extends AsyncDisposable {
  readonly identities: TestIdentities;
  readonly server: GrpcServer;
  readonly metrics: Metrics;
  /** Every line that the server logged. */
  readonly lines: Record<string, unknown>[];
  /** A client with the identity of a workload. */
  client(
    workload: string,
    options?: Partial<GrpcTransportOptions>,
  ): Promise<EchoClient & { transport: GrpcTransport }>;
  /** A client with an identity that is no business of this bed. */
  clientWith(
    identity: IdentityFiles | undefined,
    options?: Partial<GrpcTransportOptions>,
  ): EchoClient & { transport: GrpcTransport };
}

export async function echoBed(
  handlers: EchoHandlers = {},
  options: Partial<GrpcServerOptions> & { identities?: TestIdentities } = {},
): Promise<EchoBed> {
  const stack = new AsyncDisposableStack();
  const identities = options.identities ?? stack.use(await testIdentities());
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    service: "echo",
    instance: "echo-0",
    level: "info",
    write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const metrics = createMetrics({ service: "echo", defaults: false });
  const health = stack.use(createHealth({ logger }));
  health.started();
  const implementation = { ...DEFAULTS, ...handlers } as unknown as Implementation<typeof EchoService>;
  const server = await listenGrpc({
    address: { host: "127.0.0.1", port: 0 },
    routes: [serve(EchoService, implementation)],
    identitySource: "tls",
    identity: await identities.of("echo"),
    health,
    reflection: true,
    logger,
    metrics,
    ...options,
  });
  stack.defer(() => server.drain(200));
  const clientWith: EchoBed["clientWith"] = (identity, more = {}) => {
    const transport = createGrpcTransport({
      workload: "echo",
      addresses: [server.address],
      identity,
      ...more,
    });
    stack.defer(() => transport.close());
    return Object.assign(createClient(EchoService, transport) as unknown as EchoClient, { transport });
  };
  return {
    identities,
    server,
    metrics,
    lines,
    clientWith,
    client: async (workload, more) => clientWith(await identities.of(workload), more),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Notes that come one after another. */
export async function* notes(...texts: string[]): AsyncIterable<NoteInit> {
  for (const text of texts) yield { text };
}

/** All that a stream has to give. */
export async function collect(stream: AsyncIterable<Note>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of stream) texts.push(text);
  return texts;
}

export type { Init };
