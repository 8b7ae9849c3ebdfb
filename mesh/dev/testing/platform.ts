import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../../chassis/src/testing/eventually.ts";
import type { Json } from "./json.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
/** Tests that run side by side look for their gateways' ports in different places. */
const FIRST_PORT = 4_640 + 100 * (Number(process.env.JEST_WORKER_ID ?? 1) - 1);

/** What `.orrery/run.json` says of one process. */
export interface RunningProcess {
  readonly pid: number;
  readonly grpc: string;
  readonly admin: string;
}

/** The parts of `.orrery/run.json` that the stories use. */
export interface RunFile {
  readonly pid: number;
  readonly edge: string;
  readonly edgeGrpc: string;
  readonly edges: readonly string[];
  readonly projects: Readonly<Record<string, { readonly apiKeyFile: string; readonly readKeyFile: string }>>;
  readonly caFile: string;
  readonly identities: Readonly<Record<string, { readonly certFile: string; readonly keyFile: string }>>;
  readonly services: Readonly<Record<string, readonly RunningProcess[]>>;
  readonly postgres: { readonly pid: number; readonly port: number; readonly dataDir: string };
  readonly nats: { readonly url: string; readonly pid: number; readonly dataDir: string };
  /** With OBSERVE=1. */
  readonly prometheus: { readonly url: string; readonly pid: number } | null;
  readonly alertmanager: { readonly url: string; readonly pid: number } | null;
}

/** An answer of the edge, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

/** How a request is sent; the demo project's key with all scopes unless said. */
export interface Sending {
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly edge?: string;
}

/** A platform of its own for one test file, as a user has it, but that it ends with the test's process. */
export class Platform implements AsyncDisposable {
  readonly home: string;
  readonly #launcher: ChildProcess;
  #turn = 0;

  private constructor(home: string, launcher: ChildProcess) {
    this.home = home;
    this.#launcher = launcher;
  }

  /**
   * Starts what `make run` starts, in a home of its own, and waits for its ready line.
   *
   * @param settings - make variables and environment, such as `{ REPLICAS: "2" }`
   * @throws Error with everything the launcher printed, when it ends or is not ready within three minutes
   */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Platform> {
    const home = mkdtempSync(join(tmpdir(), "orrery-story-"));
    const launcher = spawn("node", ["mesh/dev/src/main.ts", "run-attached"], {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        NODE_OPTIONS: "",
        ORRERY_HOME: home,
        ORRERY_PORT: String(FIRST_PORT),
        ...settings,
      },
    });
    const platform = new Platform(home, launcher);
    let printed = "";
    const ready = new Promise<void>((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`not ready in 180 s:\n${printed}`)), 180_000);
      const read = (chunk: Buffer) => {
        printed += chunk.toString();
        if (/^orrery ready http/m.test(printed)) {
          clearTimeout(timer);
          done();
        }
      };
      launcher.stdout?.on("data", read);
      launcher.stderr?.on("data", read);
      launcher.once("exit", (code) => failed(new Error(`the launcher ended with ${code}:\n${printed}`)));
    });
    try {
      await ready;
    } catch (error) {
      await platform[Symbol.asyncDispose]();
      throw error;
    }
    return platform;
  }

  get run(): RunFile {
    return JSON.parse(readFileSync(join(this.home, "run.json"), "utf8")) as RunFile;
  }

  /** The process of a server, or of a service's first replica, right now. */
  pidOf(name: string): number {
    const { services, nats, postgres, prometheus, alertmanager } = this.run;
    const servers = new Map(Object.entries({ nats, postgres, prometheus, alertmanager }));
    const pid = servers.get(name)?.pid ?? services[name]?.[0]?.pid;
    if (pid === undefined) throw new Error(`no process ${name} in run.json`);
    return pid;
  }

  /** A project's key: the first with all scopes, the second read-only. */
  key(project = "demo", kind: "apiKeyFile" | "readKeyFile" = "apiKeyFile"): string {
    const files = this.run.projects[project];
    if (files === undefined) throw new Error(`no project ${project}`);
    return readFileSync(files[kind], "utf8").trim();
  }

  /** Sends one request, to each gateway in turn where there are several. */
  async send(method: string, path: string, sending: Sending = {}): Promise<Answer> {
    const { edges } = this.run;
    const edge = sending.edge ?? edges[this.#turn++ % edges.length];
    const key = sending.key === undefined ? this.key() : sending.key;
    const response = await fetch(`${edge}${path}`, {
      method,
      signal: AbortSignal.timeout(70_000),
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(sending.body === undefined ? {} : { "content-type": "application/json" }),
        ...sending.headers,
      },
      ...(sending.body === undefined
        ? {}
        : { body: typeof sending.body === "string" ? sending.body : JSON.stringify(sending.body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Sends until an answer below 500 comes, at most a minute: for what is safe to repeat while processes die. */
  async persist(method: string, path: string, sending: Sending = {}): Promise<Answer> {
    const end = Date.now() + 60_000;
    for (;;) {
      const answer = await this.send(method, path, sending).catch((error: unknown) => error);
      if (!(answer instanceof Error) && (answer as Answer).status < 500) return answer as Answer;
      if (Date.now() > end)
        throw new Error(`${method} ${path} had no answer within a minute`, { cause: answer });
      await new Promise((done) => setTimeout(done, 200));
    }
  }

  /** Reads a path until its answer is good. @throws Error with the last answer, after 20 s unless said */
  readUntil(path: string, good: (answer: Answer) => boolean, withinMs = 20_000): Promise<Answer> {
    return eventually(
      async () => {
        const answer = await this.send("GET", path);
        if (!good(answer)) throw new Error(`${path} stays ${answer.status} ${JSON.stringify(answer.body)}`);
        return answer;
      },
      { withinMs, everyMs: 50 },
    );
  }

  /** Reads a page of an admin port as one of the platform's identities, or posts a body to it. */
  admin(url: string, identity = "operator", body?: string): Promise<{ status: number; text: string }> {
    const { caFile, identities } = this.run;
    const files = identities[identity];
    const agent = new Agent({
      ca: readFileSync(caFile),
      ...(files ? { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) } : {}),
    });
    return new Promise((done, failed) => {
      const method = body === undefined ? "GET" : "POST";
      httpsRequest(url, { agent, method, timeout: 10_000 }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on("end", () => {
          agent.destroy();
          done({ status: response.statusCode ?? 0, text });
        });
      })
        .on("error", failed)
        .end(body);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#launcher.exitCode === null && this.#launcher.signalCode === null) {
      const ended = new Promise((done) => this.#launcher.once("exit", done));
      this.#launcher.kill("SIGTERM");
      const grace = setTimeout(() => this.#launcher.kill("SIGKILL"), 60_000);
      await ended;
      clearTimeout(grace);
    }
    rmSync(this.home, { recursive: true, force: true });
  }
}
