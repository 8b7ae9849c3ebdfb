import { expect, test } from "@jest/globals";
import { migrateService } from "../../src/lifecycle/migration.ts";

test.each(["sideways", "", "UP"])("a migration goes up or down, and not %p", async (direction) => {
  const folder = new URL("./", import.meta.url);
  await expect(migrateService({} as never, { folder, direction })).rejects.toThrow(
    `say up or down, not ${direction}`,
  );
});
