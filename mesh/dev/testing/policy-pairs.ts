import { readFileSync } from "node:fs";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { RunFile } from "./platform.ts";

/** What became of one call: let in, whatever came of it, or turned away because of who called. */
export interface TriedPair {
  readonly caller: string;
  readonly rpc: string;
  readonly admitted: boolean;
}

/** How long a call may take to be turned away: one that is let in and says nothing was not. */
const PATIENCE_MS = 1_000;
const EMPTY = Buffer.alloc(0);
const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * Calls every RPC of a service at its real process, with the real certificate of every identity there is. The request
 * is an empty one: what an RPC says to that does not matter, only who is asked before it is looked at.
 */
export async function tryEveryPair(
  run: RunFile,
  workload: string,
  service: DescService,
): Promise<readonly TriedPair[]> {
  const address = run.services[workload]?.[0]?.grpc;
  if (address === undefined) throw new Error(`no ${workload} in run.json`);
  const authority = readFileSync(run.caFile);
  const tried: TriedPair[] = [];
  for (const [caller, { certFile, keyFile }] of Object.entries(run.identities)) {
    const shown = credentials.createSsl(authority, readFileSync(keyFile), readFileSync(certFile));
    const client = new Client(address, shown);
    try {
      const outcomes = await Promise.all(service.methods.map((method) => turnedAway(client, method)));
      for (const [at, away] of outcomes.entries()) {
        tried.push({ caller, rpc: `${service.typeName}/${service.methods[at]?.name}`, admitted: !away });
      }
    } finally {
      client.close();
    }
  }
  return tried;
}

function turnedAway(client: Client, method: DescMethod): Promise<boolean> {
  const path = `/${method.parent.typeName}/${method.name}`;
  const options = { deadline: Date.now() + PATIENCE_MS };
  return new Promise((done) => {
    const decide = (error: ServiceError | null) => done(isRefusal(error));
    if (method.methodKind === "unary") {
      client.makeUnaryRequest(path, asIs, asIs, EMPTY, new Metadata(), options, decide);
      return;
    }
    const call =
      method.methodKind === "server_streaming"
        ? client.makeServerStreamRequest(path, asIs, asIs, EMPTY, new Metadata(), options)
        : client.makeBidiStreamRequest(path, asIs, asIs, new Metadata(), options);
    call.on("error", decide);
    call.on("data", () => done(false));
    call.on("end", () => done(false));
  });
}

/** Whether a call failed because its caller is not on the RPC's list, and for no other reason. */
function isRefusal(error: ServiceError | null): boolean {
  return error?.code === status.PERMISSION_DENIED && error.details.includes(" may not call ");
}
