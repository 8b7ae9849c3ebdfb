import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openEmbeddedReadModel } from "../src/adapters/embedded/embedded-read-model.ts";
import type { ReadModel } from "../src/application/ports.ts";

/** An embedded read model of a test's own, gone with the scope that it is used in. */
export async function embeddedReadModel(): Promise<
  { readModel: ReadModel; folder: string } & AsyncDisposable
> {
  const folder = await mkdtemp(join(tmpdir(), "orrery-read-model-"));
  const readModel = openEmbeddedReadModel({ folder });
  await readModel.check();
  return {
    readModel,
    folder,
    async [Symbol.asyncDispose]() {
      await readModel.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Holds the file of a read model, so that its thread stands still at the next write until it is let go. */
export function heldFile(folder: string): Disposable & { letGo(): void } {
  const other = new DatabaseSync(join(folder, "read-model.db"));
  other.exec("begin immediate");
  return { letGo: () => other.exec("commit"), [Symbol.dispose]: () => other.close() };
}
