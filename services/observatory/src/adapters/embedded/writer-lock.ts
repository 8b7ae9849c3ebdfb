import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { inodeOf } from "./inode.ts";

const FILE = "writer.lock";

/**
 * The place of the one process that writes: a transaction on a file of its own that is never ended. The
 * system gives it back with the process, so the next writer need not wait for a term to run out. A lease with
 * a clock was rejected: two writers would do no harm (D1), they would only wait for each other.
 */
export class WriterLock {
  readonly #folder: string;
  #held: { readonly database: DatabaseSync; readonly inode: number } | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes the place if it is free. @returns whether this process holds it */
  take(): boolean {
    const path = join(this.#folder, FILE);
    if (this.#held !== undefined && this.#held.inode === inodeOf(path)) return true;
    this.release();
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec("begin exclusive");
    } catch {
      // Somebody else holds it; that is an answer, not a failure.
      database.close();
      return false;
    }
    this.#held = { database, inode: inodeOf(path) };
    return true;
  }

  release(): void {
    this.#held?.database.close();
    this.#held = undefined;
  }
}
