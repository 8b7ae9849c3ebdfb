import type { KnownEnd } from "../../application/take-in-ends.ts";

/** What an event of a job says about the mission that the job belongs to, if any. */
export type EndReading =
  /** None of ours. */
  | { readonly kind: "other" }
  | { readonly kind: "end"; readonly known: KnownEnd }
  /** It ended, but how is more than the event holds: it has to be asked about. */
  | { readonly kind: "ask"; readonly jobId: string }
  | { readonly kind: "unreadable"; readonly why: string };

/** The facts that end a job. */
export const END_FACTS = ["JobSucceeded", "JobFailed", "JobCancelled", "JobExpired"] as const;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The major versions that this code was written against. A newer one may mean something else by the same
 * words.
 */
const MAJOR = "1";
/** Most events are of jobs without a mission: those are told by their text, which is not taken apart. */
const OF_A_MISSION = /"missionId":\s*"[^"]/;

/** Reads the event that ended a job. */
export function readEnd(text: string): EndReading {
  if (!OF_A_MISSION.test(text)) return { kind: "other" };
  const envelope = parsed(text);
  if (envelope === undefined) return { kind: "unreadable", why: "it is not a JSON object" };
  for (const field of ["contractVersion", "version"]) {
    const version = textAt(envelope, field);
    if (version.split(".")[0] !== MAJOR)
      return { kind: "unreadable", why: `${field} ${version.slice(0, 40)} is not supported` };
  }
  const payload = fieldsAt(envelope, "payload");
  const job = fieldsAt(payload, "job");
  if (job === undefined) return { kind: "unreadable", why: "there is no job in it" };
  // The words stood in somebody's input or output.
  if (textAt(job, "missionId") === "") return { kind: "other" };
  return endOf(job, fieldsAt(payload, "attempt"));
}

function endOf(job: Fields, attempt: Fields | undefined): EndReading {
  const [jobId, status, version] = [textAt(job, "id"), textAt(job, "status"), Number(job.version)];
  if (jobId === "" || !Number.isSafeInteger(version) || version < 1)
    return { kind: "unreadable", why: "the job in it has no id or version" };
  if (status === "SUCCEEDED") {
    // Without one it returned nothing, or more than an event takes.
    if (job.output === undefined) return { kind: "ask", jobId };
    const end = { kind: "succeeded" as const, outputText: JSON.stringify(job.output) };
    return { kind: "end", known: { jobId, version, end } };
  }
  const attempts = Number(job.attempt ?? 0);
  // Every attempt counts, and the event holds one.
  if (attempts > 1 || (attempts === 1 && attempt === undefined)) return { kind: "ask", jobId };
  const unknown = isUnknown(textAt(attempt, "status"), textAt(fieldsAt(attempt, "error"), "type"));
  const error = errorOf(status, fieldsAt(job, "error"));
  return { kind: "end", known: { jobId, version, end: { kind: "failed", unknown, error } } };
}

/** Whether an attempt may have done its work without anybody's word. */
const isUnknown = (status: string, errorType: string): boolean =>
  status === "LOST" || errorType === "TIMEOUT";

/** Why a job did not succeed; one that was cancelled or expired says so itself. */
function errorOf(status: string, error: Fields | undefined): { type: string; message: string } {
  if (error === undefined) return { type: status, message: `its job ended ${status}` };
  return { type: textAt(error, "type"), message: textAt(error, "message") };
}

function parsed(text: string): Fields | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isFields(json) ? json : undefined;
  } catch {
    // Told to the dead letters in words of our own: the parser's message may quote the payload.
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function fieldsAt(from: Fields | undefined, name: string): Fields | undefined {
  const value = from?.[name];
  return isFields(value) ? value : undefined;
}

function textAt(from: Fields | undefined, name: string): string {
  const value = from?.[name];
  return typeof value === "string" ? value : "";
}
