import type { DescMethod } from "@bufbuild/protobuf";

import { REASON_ENUM, type Reason, type Rpc } from "../image/contract-image.ts";
import type { Schema } from "../schema/schema.ts";
import { codeName } from "./code-name.ts";
import { EVERY_API_ANSWER, headerRefs } from "./components.ts";
import { BODY_REASONS, SHARED_REASONS } from "./edge-behaviour.ts";

/** What can be refused, as components and as references to them. */
export interface Refusals {
  /** For `components.responses`, of everything that was asked for. */
  readonly responses: Record<string, Schema>;
  /** The responses of one operation by status, its own reasons and those that every one has. */
  of(rpc: Rpc): Record<string, Schema>;
}

/** Answers for the reasons of the contract, grouped by status. */
export function refusals(reasons: readonly Reason[], schemas: { problem: Schema; status: Schema }): Refusals {
  const byName = new Map(reasons.map((reason) => [reason.name, reason]));
  const named = (name: string): Reason => {
    const reason = byName.get(name);
    if (reason === undefined) throw new Error(`the contract has no reason ${name}`);
    return reason;
  };
  const responses: Record<string, Schema> = {};
  const responseOf = (status: number, group: readonly Reason[]): Schema => {
    const component = `Refused${status}${group.map(({ name }) => pascal(name)).join("")}`;
    responses[component] ??= refusal(status, group, schemas);
    return { $ref: `#/components/responses/${component}` };
  };
  return {
    responses,
    of: (rpc) => {
      const names = new Set([...ownReasons(rpc, reasons), ...SHARED_REASONS, ...bodyReasons(rpc)]);
      const groups = Map.groupBy([...names].sort().map(named), ({ rules }) => rules.httpStatus);
      return Object.fromEntries(
        [...groups]
          .sort(([left], [right]) => left - right)
          .map(([status, group]) => [String(status), responseOf(status, group)]),
      );
    },
  };
}

/** The reasons that an RPC declares and that refuse it as a whole. */
export function ownReasons(rpc: Rpc, reasons: readonly Reason[]): readonly string[] {
  const inOutcomes = outcomeReasons(rpc, reasons);
  return declared(rpc, reasons).filter((name) => !inOutcomes.includes(name));
}

/**
 * The reasons that an RPC tells item by item in a success: where its outcomes carry a reason, what it declares about
 * single items is told there and not as a status.
 */
export function outcomeReasons(rpc: Rpc, reasons: readonly Reason[]): readonly string[] {
  return answersByItem(rpc.method)
    ? declared(rpc, reasons).filter((name) => !BODY_REASONS.includes(name))
    : [];
}

function declared(rpc: Rpc, reasons: readonly Reason[]): readonly string[] {
  return rpc.rules.reasons.map((number) => {
    const reason = reasons.find((candidate) => candidate.number === Number(number));
    if (reason === undefined) throw new Error(`${rpc.name} names the reason ${number}, which is none`);
    return reason.name;
  });
}

function answersByItem({ output }: DescMethod): boolean {
  return output.fields.some(
    (field) =>
      field.fieldKind === "list" &&
      field.listKind === "message" &&
      field.message.fields.some((inner) => inner.fieldKind === "enum" && inner.enum.typeName === REASON_ENUM),
  );
}

function bodyReasons({ http }: Rpc): readonly string[] {
  return http !== undefined && http.body !== "" ? BODY_REASONS : [];
}

function refusal(
  status: number,
  group: readonly Reason[],
  schemas: { problem: Schema; status: Schema },
): Schema {
  const names = group.map(({ name }) => name);
  const [first] = group;
  const told = { status: { const: status }, reason: { enum: names } };
  return {
    description: group.map(({ name, rules }) => `${name}: ${rules.title}. ${rules.fix}`).join("\n\n"),
    headers: headerRefs([
      ...EVERY_API_ANSWER,
      ...(group.some(({ rules }) => rules.retryable) ? ["RetryAfter"] : []),
      ...(status === 401 ? ["WwwAuthenticate"] : []),
    ]),
    content: {
      "application/problem+json": {
        schema: { allOf: [schemas.problem, { type: "object", properties: told }] },
        ...(first && { example: problemExample(first) }),
      },
      "application/json": { schema: schemas.status },
    },
    "x-reasons": group.map(({ name, rules }) => ({
      reason: name,
      code: codeName(rules.code),
      retryable: rules.retryable,
    })),
  };
}

function problemExample({ name, rules }: Reason): Schema {
  return {
    type: `https://edge.example/problems/${name}`,
    title: rules.title,
    status: rules.httpStatus,
    detail: rules.cause,
    instance: "/v1/jobs",
    code: codeName(rules.code),
    reason: name,
    retryable: rules.retryable,
    fieldViolations:
      name === "INVALID_REQUEST" ? [{ field: "maxAttempts", description: "must be 1 to 100" }] : [],
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  };
}

function pascal(name: string): string {
  return name
    .split("_")
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join("");
}
