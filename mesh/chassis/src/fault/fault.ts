import { getOption } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import {
  Problem_Reason,
  Problem_ReasonSchema,
  reason_rules,
} from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";

/** Why something was refused: the closed list of `orrery.options.v1.Problem.Reason`. */
export type Reason = Exclude<keyof typeof Problem_Reason, "REASON_UNSPECIFIED">;

/** One field that is not as it should be. */
export interface FieldViolation {
  /** The path of the field in ProtoJSON names, as in `items[3].maxAttempts`. */
  readonly field: string;
  /** What is wrong, and what the field may hold. */
  readonly description: string;
}

/** What a reason stands for, the same for every occurrence. */
export interface ReasonRules {
  /** The gRPC code that it travels under. */
  readonly code: Code;
  /** 400 to 599. */
  readonly httpStatus: number;
  readonly title: string;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** What usually brings it about, for a person. */
  readonly cause: string;
  /** What to do about it, for a person. */
  readonly fix: string;
}

/**
 * A refusal that the caller is told about.
 *
 * `detail` and the violations reach the caller; `cause` and the stack stay in this process. Whether to try
 * again is a property of the reason (`reasonRules(fault.reason).retryable`), and `retryAfterMs` says when, if
 * that is known.
 */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly reason: Reason;
  readonly fieldViolations: readonly FieldViolation[];
  /** Milliseconds after which a repeat makes sense, 0 or more. */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: Reason,
    options: {
      detail: string;
      fieldViolations?: readonly FieldViolation[] | undefined;
      retryAfterMs?: number | undefined;
    },
    cause?: { cause: unknown },
  ) {
    super(options.detail, cause);
    this.reason = reason;
    this.fieldViolations = options.fieldViolations ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether the same request may succeed later without a change. */
  get retryable(): boolean {
    return reasonRules(this.reason).retryable;
  }
}

const RULES: ReadonlyMap<string, ReasonRules> = new Map(
  Problem_ReasonSchema.values
    .filter((value) => value.number !== Problem_Reason.REASON_UNSPECIFIED)
    .map((value) => {
      const { code, httpStatus, title, retryable, cause, fix } = getOption(value, reason_rules);
      // google.rpc.Code and Connect's Code number the codes of gRPC alike.
      return [value.name, { code: code as number as Code, httpStatus, title, retryable, cause, fix }];
    }),
);

/** Every reason that there is, in the order of the contract. */
export const REASONS = [...RULES.keys()] as readonly Reason[];

/** Whether a word is a reason of this release of the contract. */
export function isReason(word: string): word is Reason {
  return RULES.has(word);
}

/** What a reason stands for: its codes, title and advice, as the contract declares them. */
export function reasonRules(reason: Reason): ReasonRules {
  const rules = RULES.get(reason);
  if (rules === undefined) throw new TypeError(`the contract knows no reason ${reason}`);
  return rules;
}
