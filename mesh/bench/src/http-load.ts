import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

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

/**
 * Posts the same request over and over with wrk, a client written in C, so that the load costs little of the machine.
 *
 * @returns requests a second; only answers with a 2xx count
 * @throws Error when wrk is not there, or an answer was no success
 */
export async function wrkPerSecond(shot: Shot, connections: number, seconds: number): Promise<number> {
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
    const { stdout } = await promisify(execFile)("wrk", args, { timeout: (seconds + 30) * 1000 });
    const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1];
    if (refused !== undefined) throw new Error(`${refused} requests were refused`);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
