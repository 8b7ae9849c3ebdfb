import { readFileSync } from "node:fs";
import { request } from "node:https";
import { dirname, resolve } from "node:path";
import { type RunFile, readRunFile } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import type { CommonFlags } from "../session.ts";
import { type Surroundings, terminalOf } from "../terminal.ts";

const PATH = "/outbox/republish";
const NOT_SERVED = new Set([404, 405]);
/** A minute more than a service takes at most. */
const LIMIT_MS = 660_000;

interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * `outbox republish`: has every service that publishes events do so again. It asks their admin ports with the
 * certificate of the operator, which run.json names: it works where the platform runs, and nowhere else.
 */
export async function republish(
  service: string | undefined,
  flags: CommonFlags,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const terminal = terminalOf(surroundings, { colour: flags.color !== false });
  const run = readRunFile(surroundings.env, surroundings.cwd());
  if (run === undefined) {
    throw new Failure("no platform runs here: there is no .orrery/run.json", {
      exitCode: EXIT.unreachable,
      fix: "start one with `make run`",
    });
  }
  const asked = Object.entries(run.file.services).filter(
    ([name]) => service === undefined || name === service,
  );
  let taken = 0;
  for (const [name, [first]] of asked) {
    const answer = first === undefined ? undefined : await post(run.path, run.file, first.admin + PATH);
    if (answer === undefined || NOT_SERVED.has(answer.status)) continue;
    if (answer.status !== 200) {
      throw new Failure(`${name} answers ${answer.status}: ${answer.text}`, {
        exitCode: answer.status === 403 ? EXIT.notAuthorised : EXIT.unreachable,
        fix: "look at the platform: orrery doctor",
      });
    }
    terminal.data(`${name}: ${answer.text}`);
    taken += 1;
  }
  if (taken > 0) return EXIT.done;
  throw new Failure(`there is no service ${service ?? ""} that publishes events`, {
    exitCode: EXIT.notFound,
    fix: `services are ${Object.keys(run.file.services).join(", ")}`,
  });
}

function post(runPath: string, { caFile, identities }: RunFile, url: string): Promise<Answer> {
  const read = (file: string | undefined) => readFileSync(resolve(dirname(runPath), file ?? ""));
  const operator = identities.operator;
  const tls = { ca: read(caFile), cert: read(operator?.certFile), key: read(operator?.keyFile) };
  const { promise, resolve: answered, reject } = Promise.withResolvers<Answer>();
  const sent = request(url, { method: "POST", timeout: LIMIT_MS, ...tls }, (response) => {
    let text = "";
    response.on("data", (part: Buffer) => {
      text += part.toString();
    });
    response.on("end", () => answered({ status: response.statusCode ?? 0, text: text.trim() }));
  });
  sent.on("timeout", () => sent.destroy(new Error(`no answer within ${LIMIT_MS / 60_000} minutes`)));
  sent.on("error", (error) =>
    reject(new Failure(`${url} cannot be reached: ${error.message}`, { exitCode: EXIT.unreachable })),
  );
  sent.end();
  return promise;
}
