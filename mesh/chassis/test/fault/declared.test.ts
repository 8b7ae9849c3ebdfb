import type { DescMethod } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { declaredReasons, REASONS_OF_EVERY_RPC, undeclaredReason } from "../../src/fault/declared.ts";
import { Fault, REASONS, type Reason } from "../../src/fault/fault.ts";
import { toConnectError } from "../../src/fault/wire.ts";
import { onlyDeclared } from "../../src/testing/declared-reasons.ts";
import { type Call, type Route, serve } from "../../src/transport/route.ts";

const { getJob, watchJob } = JobsService.method;
const because = { detail: "because" };
const refusing = (reason: Reason): Route => {
  const refuse = () => Promise.reject(new Fault(reason, because));
  const handlers = Object.fromEntries(Object.keys(JobsService.method).map((name) => [name, refuse]));
  const watch = async function* () {
    yield await refuse();
  };
  return onlyDeclared(serve(JobsService, { ...handlers, watchJob: watch } as never));
};
const call = async (route: Route, method: DescMethod): Promise<unknown> => {
  const handler = route.handler(method.localName) as (request: unknown, call: Call) => unknown;
  const answer = handler({}, {} as Call);
  if (answer instanceof Promise) return answer;
  for await (const one of answer as AsyncIterable<unknown>) return one;
  return undefined;
};

describe("a refusal", () => {
  test("with a reason that the RPC declares, or that every RPC has, passes", async () => {
    expect(declaredReasons(getJob)).toEqual(new Set(["NOT_FOUND"]));
    for (const reason of [...declaredReasons(getJob), ...REASONS_OF_EVERY_RPC] as Reason[]) {
      await expect(call(refusing(reason), getJob)).rejects.toBeInstanceOf(Fault);
      expect(undeclaredReason(getJob, new Fault(reason, because))).toBeUndefined();
    }
  });

  test.each([getJob, watchJob])(
    "of $name with any other reason is none: it becomes a defect",
    async (method) => {
      const others = REASONS.filter(
        (reason) => !REASONS_OF_EVERY_RPC.has(reason) && !declaredReasons(method).has(reason),
      );
      expect(others.length).toBeGreaterThan(10);
      for (const reason of others) {
        const found: unknown = await call(refusing(reason), method).catch((error: unknown) => error);
        expect(String(found)).toContain(
          `orrery.jobs.v1.JobsService/${method.name} was refused with ${reason}: name it under reasons`,
        );
        expect(toConnectError(found).rawMessage).not.toContain(reason);
      }
    },
  );

  test("with a word that is no reason does not even compile, and never gets onto the wire", () => {
    // @ts-expect-error NO_SUCH_REASON is not in proto/orrery/options/v1/problem.proto
    const fault = new Fault("NO_SUCH_REASON", because);
    expect(() => toConnectError(fault)).toThrow("the contract knows no reason NO_SUCH_REASON");
  });
});
