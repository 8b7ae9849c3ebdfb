import { create, fromJson, toBinary } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "@jest/globals";
import {
  BatchSubmitJobsRequestSchema,
  SubmitJobRequestSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { holdsMoreFields } from "../../src/rpc/field-count.ts";

const batch = create(BatchSubmitJobsRequestSchema, {
  jobs: [
    {
      task: "t",
      labels: { a: "1", b: "2" },
      input: fromJson(ValueSchema, { list: [1, null, "x"], more: { deep: [true] } }),
    },
    { task: "u" },
  ],
});
// By hand: 2 jobs, 2 tasks, 2 labels, 1 input. The input: 1 struct, 2 entries with key and value (4), 1 list
// of 3 values with their kinds (7), 1 struct, 1 entry with key and value (2), 1 list of 1 value (3).
const FIELDS = 2 + 2 + 2 + 1 + (1 + 2 + 4 + 7) + (1 + 1 + 2 + 3);

test("every field counts once, those inside values and maps included", () => {
  const bytes = toBinary(BatchSubmitJobsRequestSchema, batch);
  expect(holdsMoreFields(BatchSubmitJobsRequestSchema, bytes, FIELDS)).toBe(false);
  expect(holdsMoreFields(BatchSubmitJobsRequestSchema, bytes, FIELDS - 1)).toBe(true);
});

test("fields that we do not know count, as they are kept too", () => {
  const unknown = new Uint8Array(2_000).map((_, at) => (at % 2 === 0 ? 0x78 : 1));
  expect(holdsMoreFields(SubmitJobRequestSchema, unknown, 1_000)).toBe(false);
  expect(holdsMoreFields(SubmitJobRequestSchema, unknown, 999)).toBe(true);
});

test("bytes that are no message are an error, wherever they break off", () => {
  const bytes = toBinary(BatchSubmitJobsRequestSchema, batch);
  expect(() => holdsMoreFields(BatchSubmitJobsRequestSchema, bytes.subarray(0, -1), 1_000)).toThrow();
});
