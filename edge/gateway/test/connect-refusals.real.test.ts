import { Agent, request } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { endStreamFromJson, errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { describe, expect, test } from "@jest/globals";
import { BadRequestSchema, ErrorInfoSchema } from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, sharedTestBed } from "./gateway-factory.ts";

const jobs = new FakeJobs();
const bed = sharedTestBed({ jobs: jobs.implementation });

type Body = string | Uint8Array<ArrayBuffer>;
interface Refusal {
  readonly status: number;
  readonly error: ConnectError;
}

async function post(path: string, body: Body, headers: Record<string, string>): Promise<Response> {
  return fetch(`${bed().url}${path}`, { method: "POST", body, headers: { ...auth(), ...headers } });
}

const UNREADABLE = new ConnectError("the answer cannot be read", Code.Unknown);

/** Asks with a body as it is and reads the refusal by the rules of the protocol. */
async function refusal(rpc: string, body: Body, headers: Record<string, string>): Promise<Refusal> {
  const answer = await post(`/orrery.jobs.v1.JobsService/${rpc}`, body, headers);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const error = headers["content-type"]?.includes("+")
    ? headers["content-type"].includes("grpc-web")
      ? findTrailerError(trailerParse(bytes.subarray(5)))
      : endStreamFromJson(bytes.subarray(5)).error
    : errorFromJsonBytes(bytes, undefined, UNREADABLE);
  return { status: answer.status, error: error ?? UNREADABLE };
}

const framed = (text: string): Body => new Uint8Array(encodeEnvelope(0, new TextEncoder().encode(text)));
const JSON_TYPE = { "content-type": "application/json" };

describe("JSON over Connect", () => {
  test.each([
    ["a number with too many digits", '{"task":"t","input":{"a":[1,12345678901234567890]}}'],
    ["a number past the largest", '{"task":"t","input":{"a":1e400,"b":0.12345678901234567890}}'],
    ["a key twice", '{"task":"t","input":{"a":1,"a":2}}'],
    ["an unknown field", '{"task":"t","prio":1}'],
    ["half a surrogate pair", '{"task":"t","input":"\\ud800"}'],
    ["no JSON", '{"task":'],
    ["bytes that are not UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
  ])("with %s is refused in the words of REST", async (_what, body) => {
    const rest = (await (await post("/v1/jobs", body, JSON_TYPE)).json()) as Record<string, unknown>;
    const { status, error } = await refusal("SubmitJob", body, JSON_TYPE);
    const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
    expect([status, error.code, error.rawMessage]).toEqual([400, Code.InvalidArgument, rest.detail]);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: rest.reason, domain: "orrery" }]);
    expect(violations.map(({ field, description }) => ({ field, description }))).toEqual(
      rest.fieldViolations,
    );
    expect(jobs.batches).toEqual([]);
  });

  test("with numbers that JavaScript keeps is taken as it is", async () => {
    const input = { most: 9_007_199_254_740_991, part: 0.1, small: 1e-300 };
    const answer = await post(
      "/orrery.jobs.v1.JobsService/SubmitJob",
      JSON.stringify({ task: "t", input }),
      JSON_TYPE,
    );
    expect([answer.status, await answer.json()]).toMatchObject([200, { job: { input } }]);
  });

  test.each(["application/connect+json", "application/grpc-web+json"])(
    "in frames of %s is refused likewise",
    async (type) => {
      const body = framed('{"id":"a","id":"b"}');
      const { error } = await refusal("WatchJob", body, { "content-type": type });
      expect([error.code, error.findDetails(ErrorInfoSchema)[0]?.reason]).toEqual([
        Code.InvalidArgument,
        "INVALID_REQUEST",
      ]);
      expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe("id");
    },
  );
});

describe("what connect-es refuses by itself has a reason:", () => {
  const large = `{"task":"${"t".repeat(300_000)}"}`;
  const frames = { "content-type": "application/connect+json" };
  const web = { "content-type": "application/grpc-web+proto" };
  test.each<[string, string, Record<string, string>, Body, [number, Code, string]]>([
    ["a body too large", "SubmitJob", JSON_TYPE, large, [429, Code.ResourceExhausted, "BODY_TOO_LARGE"]],
    [
      "an encoding that it does not know",
      "SubmitJob",
      { ...JSON_TYPE, "content-encoding": "zip" },
      "{}",
      [501, Code.Unimplemented, "UNIMPLEMENTED"],
    ],
    [
      "bytes that are not compressed",
      "SubmitJob",
      { ...JSON_TYPE, "content-encoding": "gzip" },
      "{}",
      [400, Code.InvalidArgument, "INVALID_REQUEST"],
    ],
    [
      "a deadline that is none",
      "SubmitJob",
      { ...JSON_TYPE, "connect-timeout-ms": "soon" },
      "{}",
      [400, Code.InvalidArgument, "INVALID_REQUEST"],
    ],
    ["a frame cut off", "WatchJob", frames, "ab", [200, Code.InvalidArgument, "INVALID_REQUEST"]],
    ["a frame too large", "WatchJob", frames, framed(large), [200, Code.ResourceExhausted, "BODY_TOO_LARGE"]],
    ["a frame cut off, gRPC-Web", "WatchJob", web, "ab", [200, Code.InvalidArgument, "INVALID_REQUEST"]],
    ["no message, gRPC-Web", "WatchJob", web, "", [200, Code.Unimplemented, "UNIMPLEMENTED"]],
  ])("%s", async (_what, rpc, headers, body, [httpStatus, code, reason]) => {
    const { status, error } = await refusal(rpc, body, headers);
    expect([status, error.code]).toEqual([httpStatus, code]);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason, domain: "orrery" }]);
  });

  test("a frame that was not read to its end does not hold up the next request of its connection", async () => {
    const connection = new Agent({ keepAlive: true, maxSockets: 1 });
    const statusOf = (body: Body): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = { ...auth(), ...frames };
        const path = `${bed().url}/orrery.jobs.v1.JobsService/WatchJob`;
        const asked = request(path, { agent: connection, method: "POST", headers }, (answer) => {
          answer.resume().once("end", () => resolve(answer.statusCode));
        });
        asked.once("error", reject).end(body);
      });
    for (const body of [framed(large), "ab", framed(large), "ab", "ab"])
      expect(await statusOf(body)).toBe(200);
    connection.destroy();
  });
});
