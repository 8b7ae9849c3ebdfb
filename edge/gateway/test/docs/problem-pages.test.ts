import { describe, expect, test } from "@jest/globals";
import { ErrorInfoSchema } from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import { Fault, REASONS, reasonRules } from "@orrery/mesh/fault/fault";
import { codeName, toConnectError } from "@orrery/mesh/fault/wire";
import { escapeHtml } from "../../src/docs/html-page.ts";
import { problemPages } from "../../src/docs/problem-pages.ts";
import type { Exchange } from "../../src/http/exchange.ts";
import type { Page } from "../../src/http/pages.ts";
import { problemDocument } from "../../src/http/problem.ts";

const EDGE = "https://edge.example";
const open = async (path: string, accept: string): Promise<Page> =>
  problemPages(EDGE)({
    path,
    header: (name: string) => (name === "accept" ? accept : undefined),
  } as Exchange);

describe("the page of a reason", () => {
  test.each(REASONS)(
    "%s says what its problem document, its gRPC status and its table say",
    async (reason) => {
      const rules = reasonRules(reason);
      const fault = new Fault(reason, { detail: "this time" });
      const problem = problemDocument(fault, { edge: EDGE, instance: "/v1/jobs", traceId: "" });
      expect(problem).toMatchObject({
        type: `${EDGE}/problems/${reason}`,
        reason,
        title: rules.title,
        status: rules.httpStatus,
        code: codeName(rules.code),
        retryable: rules.retryable,
      });
      const status = toConnectError(fault);
      const [info] = status.findDetails(ErrorInfoSchema);
      expect([status.code, info?.reason, info?.domain]).toEqual([rules.code, reason, "orrery"]);

      const path = new URL((problem as { type?: string }).type ?? "").pathname;
      const json = JSON.parse(String((await open(path, "application/json")).body)) as object;
      const { code: _code, ...words } = rules;
      const { httpStatus, ...same } = words;
      const type = `${EDGE}/problems/${reason}`;
      expect(json).toEqual({ ...same, type, reason, status: httpStatus, code: codeName(rules.code) });
      const html = String((await open(path, "text/html")).body);
      for (const text of [reason, rules.title, rules.cause, rules.fix])
        expect(html).toContain(escapeHtml(text));
    },
  );

  test("is on the list of all, in both forms", async () => {
    const { reasons } = JSON.parse(String((await open("/problems/", "application/json")).body)) as {
      reasons: { reason: string }[];
    };
    expect(reasons.map(({ reason }) => reason)).toEqual(REASONS);
    const html = String((await open("/problems/", "text/html")).body);
    for (const reason of REASONS) expect(html).toContain(`href="/problems/${reason}"`);
  });
});
