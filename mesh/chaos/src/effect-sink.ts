import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * The world outside that steps work on: it carries out a request once for each idempotency key, as a payment provider
 * does, and counts.
 */
export interface EffectSink extends AsyncDisposable {
  /** As in `127.0.0.1:40123`. */
  readonly address: string;
  /** How many effects there were of a name, each key counted once. */
  effectsOf(name: string): number;
  /** How many requests came again under a key that was known. */
  readonly repeats: number;
  /** How many requests have had their effect and no answer yet. */
  readonly atWork: number;
}

/** It answers this much after it has done something: whoever is killed in between does not hear of it. */
const ANSWER_AFTER_MS = 150;

/** Starts a sink. `POST /<name>` is an effect of that name. */
export async function startSink(): Promise<EffectSink> {
  const keys = new Map<string, Set<string>>();
  let repeats = 0;
  let atWork = 0;
  const server = createServer((request, response) => {
    const name = (request.url ?? "").slice(1);
    const key = String(request.headers["idempotency-key"]);
    const known = keys.get(name) ?? new Set();
    keys.set(name, known);
    if (known.has(key)) repeats += 1;
    known.add(key);
    atWork += 1;
    setTimeout(() => {
      atWork -= 1;
      response.end("done");
    }, ANSWER_AFTER_MS);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    effectsOf: (name) => keys.get(name)?.size ?? 0,
    get repeats() {
      return repeats;
    },
    get atWork() {
      return atWork;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
