import { mkdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "@orrery/mesh/time/clock";
import { inodeOf } from "./inode.ts";
import { isLocked } from "./store.ts";

const FILE = "writer.lock";

/** Who has not looked for so long has left: longer than a look waits for its thread, milliseconds. */
const LEFT_AFTER_MS = 15_000;

/**
 * The place of the one process that writes: a transaction on a file of its own that is never ended. The system gives
 * it back with the process, so the next writer need not wait for a term to run out.
 *
 * A process that is stopped keeps its transaction. So the holder notes in the file's time that it has looked, and one
 * who has left finds the file taken away, and another writer on a new one. Until it looks again there may be two, which
 * needs no fence: two writers do no harm (D1), they only wait for each other. What is not mended: one that is stopped
 * within a commit holds the store's file itself.
 */
export class WriterLock {
  readonly #path: string;
  readonly #clock: Clock;
  #held: { readonly database: DatabaseSync; readonly inode: number } | undefined;

  constructor(folder: string, clock: Clock) {
    this.#path = join(folder, FILE);
    this.#clock = clock;
  }

  /** Takes the place if it is free, or keeps it. @returns whether this process holds it */
  take(): boolean {
    if (this.#held === undefined || this.#held.inode !== inodeOf(this.#path)) this.#takeAnew();
    if (this.#held === undefined) return false;
    const nowSeconds = this.#clock.nowMs() / 1_000;
    utimesSync(this.#path, nowSeconds, nowSeconds);
    return true;
  }

  #takeAnew(): void {
    this.release();
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const lookedMs = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs;
    if (lookedMs !== undefined && this.#clock.nowMs() - lookedMs > LEFT_AFTER_MS)
      rmSync(this.#path, { force: true });
    const database = new DatabaseSync(this.#path, { timeout: 0 });
    try {
      database.exec("begin exclusive");
      this.#held = { database, inode: inodeOf(this.#path) };
    } catch (error) {
      database.close();
      // Somebody else holds it; that is an answer, not a failure.
      if (isLocked(error)) return;
      // Not SQLite's own error: by its code the store's file would be taken for the broken one.
      throw new Error(`the place of the writer cannot be taken: ${String(error)}`, { cause: error });
    }
  }

  release(): void {
    this.#held?.database.close();
    this.#held = undefined;
  }
}
