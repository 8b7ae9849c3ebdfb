import type { Value } from "@bufbuild/protobuf/wkt";
import { expect, test } from "@jest/globals";
import { jsonText } from "@orrery/mesh/transport/json-value";
import { auth, sharedTestBed } from "./gateway-factory.ts";

// A value is held to its depth by the service that it is for, which names the field. The edge refuses no value for its
// depth that the service takes, whatever message it came in.

const held = (value: Value | undefined, field: string) => jsonText(value, { field, limitBytes: 1_000 });

const bed = sharedTestBed({
  jobs: {
    submitJobs: async ({ items }) => ({
      outcomes: items.map(({ job }) => {
        held(job?.input, "input");
        return { result: { case: "job" as const, value: { task: job?.task ?? "" } } };
      }),
    }),
    batchSubmitJobs: async ({ jobs }) => {
      for (const [index, { input }] of jobs.entries()) held(input, `jobs[${index}].input`);
      return {};
    },
  },
  work: {
    completeAttempts: async ({ results }) => {
      for (const [index, { output }] of results.entries()) held(output, `results[${index}].output`);
      return {};
    },
  },
});

const rpc = "/orrery.jobs.v1";
const doors: [string, string, (value: string) => string][] = [
  ["/v1/jobs", "input", (value) => `{"task":"t","input":${value}}`],
  ["/v1/jobs:batchSubmit", "jobs[0].input", (value) => `{"jobs":[{"task":"t","input":${value}}]}`],
  ["/v1/work:complete", "results[0].output", (value) => `{"results":[{"jobId":"j","output":${value}}]}`],
  [`${rpc}.JobsService/SubmitJob`, "input", (value) => `{"task":"t","input":${value}}`],
  [
    `${rpc}.WorkService/CompleteAttempts`,
    "results[0].output",
    (value) => `{"results":[{"output":${value}}]}`,
  ],
];

test.each(
  doors.flatMap(([path, field, body]) =>
    [
      ["[", "]"],
      ['{"a":', "}"],
    ].map(([open = "", close = ""]) => ({ path, field, body, open, close })),
  ),
)("$path takes 32 levels of $open in a value, and refuses 33 by its field", async (door) => {
  const { path, field, body, open, close } = door;
  const send = (levels: number) =>
    fetch(bed().url + path, {
      ...{ method: "POST", body: body(`${open.repeat(levels)}1${close.repeat(levels)}`) },
      headers: { ...auth(), "content-type": "application/json" },
    });
  const taken = await send(32);
  expect([taken.ok, await taken.text()]).toEqual([true, expect.any(String)]);
  const refused = await send(33);
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain(`${field} is deeper than 32 levels`);
});
