import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { BinaryMissing } from "../../dev/src/binaries/binary-missing.ts";
import { type Announce, resolveBinary } from "../../dev/src/binaries/resolve.ts";

/** One request, the same each time. */
export interface Shot {
  readonly url: string;
  readonly key: string;
  readonly body: string;
}

/** A client that keeps its connections, for load from inside the benchmark. */
export class HttpLoad {
  readonly #agent: Agent;

  constructor(connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Posts once and returns the answer's JSON. @throws Error when it is no success */
  post(shot: Shot): Promise<unknown> {
    const headers = {
      authorization: `Bearer ${shot.key}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(shot.body),
    };
    return new Promise((done, failed) => {
      const sent = request(shot.url, { method: "POST", agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          if ((response.statusCode ?? 500) < 300) done(JSON.parse(text));
          else failed(new Error(`${response.statusCode}: ${text.slice(0, 500)}`));
        });
      });
      sent.on("error", failed);
      sent.end(shot.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

let wrk: Promise<string | undefined> | undefined;

/** wrk is written in C: its load costs little of the machine that it is to measure. */
function findWrk(announce?: Announce): Promise<string | undefined> {
  wrk ??= resolveBinary("wrk", announce).then(
    ({ path }) => path,
    (failure: unknown) => {
      if (failure instanceof BinaryMissing) return undefined;
      throw failure;
    },
  );
  return wrk;
}

/** What `postsPerSecond` posts with, in words. Installs wrk where that is possible. */
export async function loadClient(announce: Announce): Promise<string> {
  const found = await findWrk(announce);
  return found === undefined ? "node:http in the bench's own process, as wrk cannot be had here" : "wrk";
}

/**
 * Posts the same request over and over, with wrk where it can be had.
 *
 * @returns requests a second
 * @throws Error when an answer was no success
 */
export async function postsPerSecond(shot: Shot, connections: number, seconds: number): Promise<number> {
  const program = await findWrk();
  if (program !== undefined) return wrkPerSecond(program, shot, { connections, seconds });
  const load = new HttpLoad(connections);
  const end = performance.now() + seconds * 1_000;
  let posted = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      await load.post(shot);
      posted += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, caller));
  } finally {
    load.close();
  }
  return posted / seconds;
}

async function wrkPerSecond(
  program: string,
  shot: Shot,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-wrk-"));
  try {
    const script = join(folder, "post.lua");
    writeFileSync(
      script,
      [
        'wrk.method = "POST"',
        `wrk.headers["content-type"] = "application/json"`,
        `wrk.headers["authorization"] = "Bearer ${shot.key}"`,
        `wrk.body = [==[${shot.body}]==]`,
      ].join("\n"),
    );
    const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", script, shot.url];
    const { stdout } = await promisify(execFile)(program, args, { timeout: (seconds + 30) * 1000 });
    const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1];
    if (refused !== undefined) throw new Error(`${refused} requests were refused`);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
