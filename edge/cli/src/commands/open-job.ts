import { spawn } from "node:child_process";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Session } from "../session.ts";

/** `job open`: prints the address of a job's page, and opens it for a person who has a browser. */
export async function openJob({ api, terminal, surroundings }: Session, id: string): Promise<ExitCode> {
  const address = `${api.url}/jobs/${encodeURIComponent(id)}`;
  terminal.data(address);
  if (!terminal.interactive) return EXIT.done;
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  spawn(opener, [address], { env: surroundings.env, detached: true, stdio: "ignore" })
    .on("error", () => undefined) // without a browser there is still the address
    .unref();
  return EXIT.done;
}
