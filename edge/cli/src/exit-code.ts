/** What the exit code of a command says. Public: scripts branch on it. */
export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  notFound: 3,
  notAuthorised: 4,
  jobFailed: 5,
  missionUndone: 6,
  needsAttention: 7,
  stillPending: 8,
  unreachable: 9,
  conflict: 10,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code for an answer of the edge that is not a success. */
export function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.notAuthorised;
  if (status === 404) return EXIT.notFound;
  if (status === 409 || status === 422) return EXIT.conflict;
  if (status === 408 || status === 429 || status === 503 || status === 504) return EXIT.unreachable;
  return status >= 400 && status < 500 ? EXIT.usage : EXIT.unexpected;
}

/** The exit code of a command that waited for a job: success, or not. */
export const exitCodeOfEnd = (status: string): ExitCode =>
  status === "SUCCEEDED" ? EXIT.done : EXIT.jobFailed;

const ENDS = ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"];

/** Whether a job of this status has ended. */
export const hasEnded = (status: string): boolean => ENDS.includes(status);

/** The exit code of a command that waited for a mission. */
export function exitCodeOfMission(status: string): ExitCode {
  if (status === "SUCCEEDED") return EXIT.done;
  if (status === "COMPENSATED") return EXIT.missionUndone;
  if (status === "NEEDS_ATTENTION") return EXIT.needsAttention;
  return status === "FAILED" || status === "CANCELLED" ? EXIT.jobFailed : EXIT.stillPending;
}

/** Whether a mission of this status goes no further by itself. */
export const missionRests = (status: string): boolean => exitCodeOfMission(status) !== EXIT.stillPending;
