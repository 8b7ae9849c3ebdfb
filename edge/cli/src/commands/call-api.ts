import { EXIT, type ExitCode } from "../exit-code.ts";
import { usage } from "../failure.ts";
import { readInput } from "../input.ts";
import { interruption, type Session } from "../session.ts";

export interface CallFlags {
  readonly input?: string;
  readonly header: readonly string[];
}

/** `api`: any request with the connection's key; the answer's body goes to standard output as it comes. */
export async function callApi(
  session: Session,
  method: string,
  path: string,
  flags: CallFlags,
): Promise<ExitCode> {
  using interrupted = interruption(session.surroundings);
  const { signal } = interrupted;
  const body = await readInput(flags.input, [], session.surroundings.stdin);
  const headers = Object.fromEntries(flags.header.map(headerOf));
  const absolute = path.startsWith("/") ? path : `/${path}`;
  const response = await session.api.open(method.toUpperCase(), absolute, { body, headers, signal });
  const decoder = new TextDecoder();
  let last = "\n";
  try {
    for await (const chunk of response.body ?? []) {
      const text = decoder.decode(chunk, { stream: true });
      session.surroundings.stdout.write(text);
      last = text.at(-1) ?? last;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return EXIT.interrupted;
  }
  if (last !== "\n") session.surroundings.stdout.write("\n");
  return EXIT.done;
}

function headerOf(header: string): readonly [string, string] {
  const at = header.indexOf(":");
  if (at < 1) throw usage(`-H ${header} has to be name: value`);
  return [header.slice(0, at).trim().toLowerCase(), header.slice(at + 1).trim()];
}
