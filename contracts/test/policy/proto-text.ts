import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage, type Contract, readContract } from "../../src/image/contract-image.ts";
import { ROOT } from "../contract-reader.ts";

/** The contract as it would be with one edit in the options of an RPC. */
export async function applyEditText(
  file: string,
  edit: { rpc: string; find: string; replace: string },
): Promise<Contract> {
  const copy = mkdtempSync(join(tmpdir(), "orrery-policy-"));
  try {
    cpSync(join(ROOT, "proto"), join(copy, "proto"), { recursive: true });
    cpSync(join(ROOT, "buf.yaml"), join(copy, "buf.yaml"));
    const path = join(copy, "proto/orrery", file);
    const text = readFileSync(path, "utf8");
    const at = text.indexOf(edit.find, text.indexOf(`rpc ${edit.rpc}(`));
    if (at < 0) throw new Error(`${edit.rpc} has no ${edit.find}`);
    writeFileSync(path, text.slice(0, at) + edit.replace + text.slice(at + edit.find.length));
    return readContract(await buildImage(".", copy));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
