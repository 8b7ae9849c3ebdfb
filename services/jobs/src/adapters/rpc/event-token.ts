import { Fault } from "@orrery/mesh/fault/fault";

/** A page token of a job's events: opaque to the caller, good at every replica, and for that job only. */
export const eventToken = (jobId: string, version: number): string =>
  Buffer.from(`1:${jobId}:${version}`).toString("base64url");

/** The version after which the next page begins: 0 without a token. @throws Fault `INVALID_PAGE_TOKEN` */
export function versionAfter(token: string, jobId: string): number {
  if (token === "") return 0;
  const [, id, version] =
    /^1:([0-9a-f-]{36}):([0-9]{1,9})$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (id === jobId && version !== undefined) return Number(version);
  throw new Fault("INVALID_PAGE_TOKEN", {
    detail: "the page token does not belong to this job",
    fieldViolations: [
      { field: "pageToken", description: "must be the nextPageToken of a page of the same job" },
    ],
  });
}
