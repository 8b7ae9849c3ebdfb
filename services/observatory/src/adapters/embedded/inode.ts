import { statSync } from "node:fs";

/** What tells a file from another one of the same name; 0 where there is none. */
export function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}
