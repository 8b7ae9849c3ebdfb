/** The rules over reasons: what a program does upon a refusal stays right. */
import { reason_rules } from "../../gen/orrery/options/v1/problem_pb.js";
import { type Contract, REASON_ENUM, type Reason } from "../image/contract-image.ts";
import type { Position } from "../image/source-text.ts";
import { codeName } from "../openapi/code-name.ts";
import { type DiffRule, type Finding, optionPosition } from "./finding.ts";

type Found = Omit<Finding, "rule">;

function positionIn({ registry }: Contract, name: string): Position {
  const value = registry.getEnum(REASON_ENUM)?.values.find((one) => one.name === name);
  if (value === undefined) throw new Error(`${name} is no reason`);
  return optionPosition(value, reason_rules);
}

function reasonRule(
  name: string,
  holds: string,
  look: (was: Reason, is: Reason) => { breaks: string; instead: string } | undefined,
): DiffRule {
  return {
    name,
    holds,
    *check(before, after): Generator<Found> {
      for (const was of before.reasons) {
        const is = after.reasons.find((reason) => reason.name === was.name);
        const found = is && look(was, is);
        if (found !== undefined) yield { position: positionIn(after, was.name), ...found };
      }
    },
  };
}

const KEEP = "keep it, and declare a new reason for the new case";

export const REASON_RULES: readonly DiffRule[] = [
  reasonRule("reason-code-changed", "a reason travels under its gRPC code", (was, is) =>
    was.rules.code === is.rules.code
      ? undefined
      : {
          breaks: `gRPC clients that handle ${codeName(was.rules.code)} for ${is.name} get ${codeName(is.rules.code)}`,
          instead: KEEP,
        },
  ),
  reasonRule("reason-status-changed", "a reason has its HTTP status", (was, is) =>
    was.rules.httpStatus === is.rules.httpStatus
      ? undefined
      : {
          breaks: `REST clients that handle ${was.rules.httpStatus} for ${is.name} get ${is.rules.httpStatus}`,
          instead: KEEP,
        },
  ),
  reasonRule("reason-retry-changed", "whether to try again stays what it was", (was, is) =>
    was.rules.retryable === is.rules.retryable
      ? undefined
      : {
          breaks: is.rules.retryable
            ? `clients repeat what was refused for ${is.name}, and never did`
            : `clients give up upon ${is.name} where a repeat would have succeeded`,
          instead: KEEP,
        },
  ),
  {
    name: "rpc-reason-undeclared",
    holds: "an RPC goes on declaring what its callers handle",
    *check(before, after): Generator<Found> {
      for (const was of before.rpcs) {
        const is = after.rpcs.find(({ name }) => name === was.name);
        if (is === undefined) continue;
        const names = (contract: Contract, numbers: readonly number[]) =>
          numbers.flatMap(
            (number) => contract.reasons.find((reason) => reason.number === number)?.name ?? [],
          );
        const now = names(after, is.rules.reasons);
        for (const reason of names(before, was.rules.reasons).filter((name) => !now.includes(name))) {
          if (!after.reasons.some(({ name }) => name === reason)) continue;
          yield {
            position: optionPosition(is.method, { number: 51001 }),
            breaks: `callers of ${is.name} handle ${reason}, and cannot know what replaces it`,
            instead: "keep it declared for as long as any release can answer with it",
          };
        }
      }
    },
  },
];
