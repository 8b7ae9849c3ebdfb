import { MessageProviderPact, Verifier } from "@pact-foundation/pact";
import { keptPacts } from "./pact-folder.ts";

/** The key that consumers send while they are recorded; it stands for one that holds. */
export const PACT_KEY = "orr_test";

/** How much was held to be true, by consumer. */
export type Held = Readonly<Record<string, number>>;

/** Brings a provider to where an answer depends on it. @returns what the request is to name, such as an id */
export type StateHandler = () => Promise<Record<string, string>>;

/**
 * Holds the messages that a producer writes against what every consumer of them needs.
 *
 * @param provider - the producer, as the contracts name it
 * @param messages - the JSON that the producer's own code writes, by the description of an interaction
 * @throws Error naming consumer, message, path and what differs
 */
export async function verifyMessages(
  provider: string,
  messages: Readonly<Record<string, string>>,
): Promise<Held> {
  const pacts = keptPacts(provider);
  await new MessageProviderPact({
    provider,
    logLevel: "error",
    pactUrls: pacts.map(({ path }) => path),
    messageProviders: Object.fromEntries(
      Object.entries(messages).map(([name, text]) => [
        name,
        () => Promise.resolve(JSON.parse(text) as object),
      ]),
    ),
  })
    .verify()
    .catch(sayWhat);
  return heldIn(pacts);
}

/**
 * Holds a running HTTP provider against what every consumer of it needs.
 *
 * @param options.key - the API key that takes the place of the one in the contracts
 * @param options.states - by the name of the state, as the contracts give it
 * @throws Error naming consumer, request, path and what differs
 */
export async function verifyHttp(
  provider: string,
  options: { url: string; key: string; states: Readonly<Record<string, StateHandler>> },
): Promise<Held> {
  const { url, key, states } = options;
  const pacts = keptPacts(provider);
  await new Verifier({
    provider,
    logLevel: "error",
    providerBaseUrl: url,
    pactUrls: pacts.map(({ path }) => path),
    requestFilter: (request: { headers: Record<string, unknown> }, _response: unknown, next: () => void) => {
      if (request.headers.authorization === `Bearer ${PACT_KEY}`)
        request.headers.authorization = `Bearer ${key}`;
      next();
    },
    stateHandlers: states,
  })
    .verifyProvider()
    .catch(sayWhat);
  return heldIn(pacts);
}

const heldIn = (pacts: ReturnType<typeof keptPacts>): Held =>
  Object.fromEntries(pacts.map(({ consumer, interactions }) => [consumer, interactions.length]));

/** Pact tells what it found as JSON in the message of an error. */
function sayWhat(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  const found = parsed(text)?.errors?.flatMap(({ interaction = "", mismatch }) =>
    (mismatch?.mismatches ?? [{ mismatch: mismatch?.message ?? "" }]).map(
      ({ path = "", mismatch: what = "" }) => `${interaction}: ${path} ${what}`,
    ),
  );
  throw new Error(found === undefined || found.length === 0 ? text : found.join("\n"), { cause: error });
}

interface Told {
  readonly errors?: readonly {
    readonly interaction?: string;
    readonly mismatch?: {
      readonly message?: string;
      readonly mismatches?: readonly { readonly path?: string; readonly mismatch?: string }[];
    };
  }[];
}

function parsed(text: string): Told | undefined {
  try {
    return JSON.parse(text) as Told;
  } catch {
    // Not JSON: then the text itself says it.
    return undefined;
  }
}
