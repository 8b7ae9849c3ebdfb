import { EXIT, type ExitCode, exitCodeOf } from "./exit-code.ts";

/** A field of the request that is wrong, by its path in the API, and how. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** A violation as a line, under the name that a person knows its field by. A whole message has no field. */
export const violationLine = ({ field, description }: FieldViolation, name = field): string =>
  name === "" ? description : `${name}: ${description}`;

/** What can be said about a failure beyond its message. */
export interface FailureAbout {
  readonly exitCode: ExitCode;
  /** What to do about it; found by the reason where it is not given. */
  readonly fix?: string | undefined;
  /** The reason of the problem, as in `/problems/{reason}`. */
  readonly reason?: string | undefined;
  readonly traceId?: string | undefined;
  /** The fields that are wrong. */
  readonly violations?: readonly FieldViolation[];
  /** Anything else, one line each. */
  readonly lines?: readonly string[];
}

/** A failure that a person is told about: what, why, what to do, and the code to look it up by. */
export class Failure extends Error {
  readonly about: FailureAbout;

  constructor(message: string, about: FailureAbout) {
    super(message);
    this.name = "Failure";
    this.about = about;
  }
}

/** A command line that cannot be carried out as it is written. */
export const usage = (message: string, fix?: string): Failure =>
  new Failure(message, { exitCode: EXIT.usage, fix });

/** The problem document of the edge (RFC 9457), as far as it is one. */
interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly reason?: string;
  readonly traceId?: string;
  readonly fieldViolations?: readonly FieldViolation[];
}

/**
 * The failure that an answer of the edge stands for.
 *
 * @param answer.body - need not be a problem document: a proxy may have made it
 * @param answer.retryAfter - the header of that name: seconds, or a date
 */
export function failureFrom(
  status: number,
  answer: { readonly body: string; readonly retryAfter: string | null },
): Failure {
  const { body, retryAfter } = answer;
  const { title, detail = "", reason, traceId, fieldViolations: violations = [] } = problemFrom(body);
  // Some details repeat their title, or begin with a field that is wrong, which a person need not read twice.
  const repeats =
    detail.toLowerCase() === title?.toLowerCase() ||
    violations.some((one) => detail.startsWith(violationLine(one)));
  const message = [title ?? `the edge answered ${status}`, repeats ? "" : detail].filter(Boolean).join(": ");
  const seconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? `${retryAfter} s` : retryAfter;
  const lines = seconds === null ? [] : [`Retry-After: ${seconds}`];
  return new Failure(message, { exitCode: exitCodeOf(status), reason, traceId, violations, lines });
}

function problemFrom(body: string): Problem {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return { detail: body.slice(0, 200) };
  }
}
