import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
} from "node:fs";
import { dirname } from "node:path";

const LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * The file that a process writes its output to, by a descriptor of its own: no byte passes through the
 * launcher, and a process outlives the launcher without a broken pipe.
 */
export class LogFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true });
  }

  /**
   * Opens for a child's stdout and stderr; the caller closes it once the child has it. Every write is an
   * append.
   */
  open(): { readonly descriptor: number; close(): void } {
    const descriptor = openSync(this.path, "a", 0o600);
    return { descriptor, close: () => closeSync(descriptor) };
  }

  /**
   * Keeps the file below 16 MiB: what is there moves to `<path>.1`, and writers that append go on at the
   * start.
   */
  bound(): void {
    if (!existsSync(this.path) || statSync(this.path).size < LIMIT_BYTES) return;
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path, 0);
  }

  /** The last lines, at most `count` and 16 KiB. */
  lastLines(count: number): readonly string[] {
    if (!existsSync(this.path)) return [];
    const descriptor = openSync(this.path, "r");
    try {
      const { size } = fstatSync(descriptor);
      const buffer = Buffer.alloc(Math.min(size, 16 * 1024));
      readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString("utf8").split("\n").filter(Boolean).slice(-count);
    } finally {
      closeSync(descriptor);
    }
  }
}
