import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { openEmbeddedReadModel } from "../../../src/adapters/embedded/embedded-read-model.ts";
import { projectionOf, searchedJob } from "../../projection-factory.ts";
import { readModelConformance } from "../../read-model.conformance.ts";

const folders: string[] = [];
const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), "orrery-read-model-"));
  folders.push(folder);
  return folder;
};
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

describe("the embedded read model", () => {
  readModelConformance(async () => openEmbeddedReadModel({ folder: await newFolder() }));
});

describe("the embedded read model's file", () => {
  /** A read model that stored one job and was closed. */
  const storedAndClosed = async () => {
    const folder = await newFolder();
    const job = searchedJob(2);
    const readModel = openEmbeddedReadModel({ folder });
    const { generation } = await readModel.check();
    await readModel.apply([projectionOf(job)]);
    await readModel.close();
    return { folder, job, generation };
  };

  test("two that share it elect one writer, and both read what it wrote", async () => {
    const folder = await newFolder();
    const first = openEmbeddedReadModel({ folder });
    const second = openEmbeddedReadModel({ folder });
    const states = [await first.check(), await second.check()];
    expect(states.map((state) => state.writer)).toEqual([true, false]);
    expect(states[1]?.generation).toBe(states[0]?.generation);
    const job = searchedJob(1);
    await first.apply([projectionOf(job)]);
    expect((await second.find("job", "demo", job.id))?.version).toBe(1);
    await first.close();
    expect((await second.check()).writer).toBe(true);
    await second.close();
  });

  test("opened again it still holds what was stored, under the same generation", async () => {
    const { folder, job, generation } = await storedAndClosed();
    const after = openEmbeddedReadModel({ folder });
    expect((await after.check()).generation).toBe(generation);
    expect((await after.find("job", "demo", job.id))?.id).toBe(job.id);
    await after.close();
  });

  test("damaged, it is set aside, and made anew under another generation", async () => {
    const { folder, job, generation } = await storedAndClosed();
    await writeFile(join(folder, "read-model.db"), "no database at all ".repeat(1_000));
    const after = openEmbeddedReadModel({ folder });
    await expect(after.check()).rejects.toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
    const anew = await after.check();
    expect(anew.writer).toBe(true);
    expect(anew.generation).not.toBe(generation);
    await after.apply([projectionOf(job)]);
    expect((await after.find("job", "demo", job.id))?.version).toBe(1);
    expect(await readdir(folder)).toContain("read-model.db.damaged");
    await after.close();
  });

  test("is spared when it is the writer's place that is broken, and goes on answering", async () => {
    const { folder, job } = await storedAndClosed();
    await writeFile(join(folder, "writer.lock"), "no database at all ".repeat(1_000));
    const after = openEmbeddedReadModel({ folder });
    await expect(after.check()).rejects.toThrow("the place of the writer cannot be taken");
    expect((await after.find("job", "demo", job.id))?.version).toBe(1);
    expect(await readdir(folder)).not.toContain("read-model.db.damaged");
    await after.close();
  });

  test("taken away while it is open, it is made anew under another generation", async () => {
    const folder = await newFolder();
    const readModel = openEmbeddedReadModel({ folder });
    const { generation } = await readModel.check();
    await readModel.apply([projectionOf(searchedJob(3))]);
    await rm(folder, { recursive: true });
    const made = await readModel.check();
    expect(made.generation).not.toBe(generation);
    expect(await readModel.find("job", "demo", searchedJob(3).id)).toBeUndefined();
    await readModel.apply([projectionOf(searchedJob(4))]);
    expect((await readModel.find("job", "demo", searchedJob(4).id))?.version).toBe(1);
    await readModel.close();
  });
});
