import { createServer } from "node:net";
import { shortHash } from "./places.ts";

/**
 * Below the range that systems give to outgoing connections, so that a port stays free while its server
 * restarts.
 */
const FIRST = 14_000;
const LAST = 30_000;

/** Gives out loopback ports that nothing listens on, each once. */
export class FreePorts {
  readonly #given = new Set<number>();
  #next: number;

  /**
   * @param seed - two platforms with different seeds look in different places, and so do not race for one
   * port
   */
  constructor(seed: string) {
    this.#next = FIRST + (Number.parseInt(shortHash(seed).slice(0, 8), 16) % (LAST - FIRST));
  }

  /** Any free port. */
  async take(): Promise<number> {
    for (let tries = 0; tries < LAST - FIRST; tries += 1) {
      const port = this.#next;
      this.#next = port === LAST ? FIRST : port + 1;
      if (await this.#give(port)) return port;
    }
    throw new Error(`no free port between ${FIRST} and ${LAST}`);
  }

  /** The wanted port if it is free, otherwise the next one that is. */
  async takeFrom(wanted: number): Promise<number> {
    for (let port = wanted; port <= 65_535; port += 1) {
      if (await this.#give(port)) return port;
    }
    throw new Error(`no free port from ${wanted} on`);
  }

  async #give(port: number): Promise<boolean> {
    if (this.#given.has(port) || !(await isFree(port))) return false;
    this.#given.add(port);
    return true;
  }
}

/** Whether nothing listens on a loopback port right now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", () => done(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => done(true)));
  });
}
