import { afterEach, describe, expect, test } from "@jest/globals";
import { BinaryMissing } from "../../src/binaries/binary-missing.ts";
import { BINARIES, binaryNamed } from "../../src/binaries/catalogue.ts";
import { resolveBinary } from "../../src/binaries/resolve.ts";

describe("the resolver", () => {
  afterEach(() => {
    delete process.env.ORRERY_GHZ;
  });

  test("takes the program that the environment names before any other", async () => {
    process.env.ORRERY_GHZ = process.execPath;
    expect(await resolveBinary("ghz")).toMatchObject({ path: process.execPath, from: "environment" });
  });

  test("a variable that names no program is an error, not a reason to look elsewhere", async () => {
    process.env.ORRERY_GHZ = "/no/such/program";
    await expect(resolveBinary("ghz")).rejects.toThrow(BinaryMissing);
  });

  test("a name that is not in the catalogue is refused with those that are", () => {
    expect(() => binaryNamed("redis")).toThrow(/nats-server/);
  });
});

test("every binary is pinned, or comes from Debian", () => {
  for (const { name, sources } of BINARIES) {
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) {
      if (source.kind === "go")
        expect([name, source.version]).toEqual([name, expect.stringMatching(/^v\d+\.\d+\.\d+$/)]);
    }
  }
});
