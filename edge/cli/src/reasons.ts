// Loaded only when a reason is explained: the descriptors take longer to load than most commands take to run.
import { getOption } from "@bufbuild/protobuf";
import { Code } from "@orrery/contracts/gen/google/rpc/code_pb.js";
import { Problem_ReasonSchema, reason_rules } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";

/** Everything that the contract says about a reason. */
export interface ReasonPage {
  readonly reason: string;
  readonly title: string;
  /** The gRPC code's name. */
  readonly code: string;
  readonly httpStatus: number;
  readonly retryable: boolean;
  readonly cause: string;
  readonly fix: string;
}

/** All reasons of the contract, without the zero value. */
export function reasonPages(): readonly ReasonPage[] {
  return Problem_ReasonSchema.values
    .filter(({ number }) => number !== 0)
    .map((value) => {
      const { title, code, httpStatus, retryable, cause, fix } = getOption(value, reason_rules);
      return { reason: value.name, title, code: Code[code] ?? "UNKNOWN", httpStatus, retryable, cause, fix };
    });
}

/** The page of one reason, in any case; undefined where there is none. */
export const reasonPage = (reason: string): ReasonPage | undefined =>
  reasonPages().find((page) => page.reason === reason.toUpperCase().replaceAll("-", "_"));
