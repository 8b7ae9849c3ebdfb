import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Store } from "../../../src/adapters/embedded/store.ts";
import { rowsOf } from "../../../src/adapters/embedded/store-rows.ts";
import { NEWEST_FIRST } from "../../../src/domain/list-order.ts";
import { EVERYTHING } from "../../../src/domain/query/filter.ts";
import { projectionOf, searchedJob } from "../../projection-factory.ts";

const JOBS = { kind: "job", project: "demo", filter: EVERYTHING } as const;

test("S4: what walks over a project's rows ends where nobody waits for it, and a read by an id does not", async () => {
  await using scope = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "orrery-store-"));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  let unwanted = false;
  const store = new Store(folder, { newGeneration: () => "first", isUnwanted: () => unwanted });
  scope.defer(() => store.close());
  const job = searchedJob(1);
  store.apply(rowsOf([projectionOf(job)]));
  const walks = [
    () => store.search({ ...JOBS, order: NEWEST_FIRST, after: undefined, limit: 10 }),
    () => store.count(JOBS, 10),
    () => store.searchEvents({ project: "demo", filter: EVERYTHING, after: "", limit: 10 }),
    () => store.summary("demo"),
  ];
  for (const walk of walks) expect(walk).not.toThrow();
  unwanted = true;
  for (const walk of walks) expect(walk).toThrow("nobody waits");
  expect(store.find("job", "demo", job.id)?.version).toBe(1);
});
