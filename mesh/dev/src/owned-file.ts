import { chownSync, renameSync, writeFileSync } from "node:fs";
import type { Account } from "./account.ts";

/**
 * Replaces a file in one step: a reader sees the old text or the new, and never a part. Its mode and owner
 * are right before it has its name.
 *
 * @param options.mode - 0o600 unless said
 */
export function replaceFile(
  path: string,
  text: string,
  options: { readonly mode?: number; readonly account?: Account | undefined } = {},
): void {
  const { mode = 0o600, account } = options;
  writeFileSync(`${path}.new`, text, { mode });
  if (account) chownSync(`${path}.new`, account.uid, account.gid);
  renameSync(`${path}.new`, path);
}
