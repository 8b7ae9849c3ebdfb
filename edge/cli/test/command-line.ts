import { EventEmitter } from "node:events";
import { eventually } from "@orrery/mesh/testing/eventually";
import { main } from "../src/main.ts";
import type { Surroundings } from "../src/terminal.ts";

/** What a command line did. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Around {
  /** The edge; its key is `orr_test`. */
  readonly url?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Whether it runs on a screen. */
  readonly screen?: boolean;
  /** How wide the screen is; 120 unless set. */
  readonly columns?: number;
  /** Presses Ctrl-C each time that the next of these texts has been written, on either stream. */
  readonly interruptAt?: readonly string[];
}

/** Runs one command line as a user would, in this process. */
export async function orrery(args: readonly string[], around: Around = {}): Promise<Ran> {
  const signals = new EventEmitter();
  const written = { stdout: "", stderr: "" };
  const screen = around.screen === true ? { isTTY: true, columns: around.columns ?? 120 } : {};
  const output = (name: keyof typeof written) => ({
    ...screen,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const given = around.url === undefined ? {} : { ORRERY_URL: around.url, ORRERY_API_KEY: "orr_test" };
  const surroundings: Surroundings = {
    env: { ...given, ...around.env },
    cwd: () => around.cwd ?? "/",
    stdin: (async function* () {
      yield around.stdin ?? "";
    })(),
    stdout: output("stdout"),
    stderr: output("stderr"),
    on: (signal, listener) => signals.on(signal, listener),
    off: (signal, listener) => signals.off(signal, listener),
  };
  const run = main(args, surroundings);
  for (const text of around.interruptAt ?? []) {
    await eventually(() => {
      if (!`${written.stdout}${written.stderr}`.includes(text)) throw new Error(`not yet written: ${text}`);
    });
    signals.emit("SIGINT");
  }
  return { code: await run, ...written };
}

/** A job as the API gives it. */
export const jobOf = (more: object = {}) => ({
  id: "01890000-0000-7000-8000-000000000001",
  project: "demo",
  task: "orrery.echo",
  queue: "default",
  status: "QUEUED",
  version: 1,
  priority: 0,
  attempt: 0,
  maxAttempts: 5,
  createTime: "2026-01-01T00:00:00Z",
  ...more,
});
