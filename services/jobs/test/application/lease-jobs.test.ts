import { toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { LeaseSchema } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { leaseToWire } from "../../src/adapters/rpc/work-wire.ts";
import { leaseBytes } from "../../src/application/lease-jobs.ts";
import { aJob, NOW } from "../job-factory.ts";

const LONG = 20_000;
const many = <T>(value: T, length = LONG): T[] => Array.from({ length }, () => value);
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

function weigh(input: unknown, labels: Record<string, string> = {}) {
  const job = { ...aJob("QUEUED", { labels }), status: "QUEUED" as const };
  const inputText = JSON.stringify(input);
  const inputBytes = Buffer.byteLength(inputText);
  const lease = leaseToWire({ job, inputText, leaseExpireMs: NOW });
  return {
    sent: toBinary(LeaseSchema, lease).length,
    weight: leaseBytes({ job, inputText, inputBytes }),
    inputBytes,
  };
}

describe("the weight of a lease", () => {
  test.each([
    ["a number", 1],
    ["ones", many(1)],
    ["few ones", many(1, 255)],
    ["nulls", many(null)],
    ["empty texts", many("")],
    ["empty lists", many([])],
    ["empty objects", many({})],
    ["lists of a one", many([1])],
    ["deep lists", many(nested(30), 2_000)],
    ["objects of a one", many({ "": 1 })],
    ["objects of an object", many({ "": { "": {} } })],
    ["an object of many ones", Object.fromEntries(many(0).map((_, index) => [index.toString(36), 1]))],
    ["texts of 128 bytes", many("x".repeat(128), 1_000)],
    ["texts of 16 KiB by name", many({ ["k".repeat(16_384)]: "v".repeat(16_384) }, 5)],
    ["text that is escaped", "\u0001".repeat(LONG)],
    ["text of four bytes a character", "😀".repeat(LONG)],
  ])("is no less than what is sent of %s", (_what, input) => {
    const { sent, weight } = weigh(input);
    expect(weight).toBeGreaterThanOrEqual(sent);
  });

  test("counts labels, and each character of them for as much as it may take", () => {
    const labels = Object.fromEntries(many(0, 32).map((_, index) => [`l${index}`, "\uffff".repeat(256)]));
    const { sent, weight } = weigh(1, labels);
    expect(weight).toBeGreaterThanOrEqual(sent);
  });

  test("is near to what is sent where that is much", () => {
    const words = many("some words of a sentence, with a comma", 4_000);
    for (const input of [many(1, 98_303), "x".repeat(190 * 1024), words]) {
      const { sent, weight } = weigh(input);
      expect(weight).toBeLessThan(sent * 1.5);
    }
  });
});
