import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where consumers' contracts are kept, each named `<consumer>-<provider>.json`. */
export const PACT_FOLDER = fileURLToPath(new URL("../../pacts", import.meta.url));

/** One thing that a consumer needs: an answer to a request, or a message. */
export interface Interaction {
  readonly description: string;
  readonly type: "Synchronous/HTTP" | "Asynchronous/Messages";
  readonly providerStates?: readonly { readonly name: string }[];
  readonly request?: { readonly method: string; readonly path: string };
  readonly contents?: { readonly content: Readonly<Record<string, unknown>> };
}

/** What one consumer needs of one provider (Pact specification 4). */
export interface PactFile {
  readonly path: string;
  readonly consumer: string;
  readonly provider: string;
  readonly interactions: readonly Interaction[];
}

/** The contracts that are kept, all of them or those with one provider. */
export function keptPacts(provider?: string): readonly PactFile[] {
  return readdirSync(PACT_FOLDER)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => readPact(join(PACT_FOLDER, name)))
    .filter((pact) => provider === undefined || pact.provider === provider);
}

/** The name of the event that an interaction about a message needs: the first word of what describes it. */
export function eventNamedIn({ description }: Interaction): string {
  return description.split(" ")[0] ?? "";
}

function readPact(path: string): PactFile {
  const { consumer, provider, interactions } = JSON.parse(readFileSync(path, "utf8")) as {
    consumer: { name: string };
    provider: { name: string };
    interactions: readonly Interaction[];
  };
  return { path, consumer: consumer.name, provider: provider.name, interactions };
}
