import { Link } from "@tanstack/react-router";
import type { Job } from "../api/contract.ts";
import { hasEnded } from "../domain/status-look.ts";
import { Status } from "./status.tsx";
import { Took, When } from "./time.tsx";

/** The columns of a job, as a screen reader and the head of a list name them. */
export const JOB_COLUMNS = ["Status", "Task", "Why", "Queue", "Try", "Ran", "Submitted"] as const;

/** What there is to say beyond the status, in one line: what holds it, or what went wrong. */
export function reasonOf({ blocked, error, status }: Job): string {
  if (blocked !== undefined) return blocked.message;
  if (error !== undefined && status !== "SUCCEEDED" && status !== "RUNNING")
    return `${error.type}: ${error.message}`;
  return "";
}

/** The cells of one job. */
export function JobCells({ job }: { job: Job }) {
  const reason = reasonOf(job);
  return (
    <>
      <span role="cell" className="cell-status">
        <Status of={job.status} plain />
      </span>
      <span role="cell" className="cell-name">
        <Link to="/jobs/$id" params={{ id: job.id }} data-row-link>
          {job.task}
        </Link>
        {job.step !== "" && <span className="dim"> · {job.step}</span>}
      </span>
      <span role="cell" className="cell-why" title={reason}>
        {reason}
      </span>
      <span role="cell" className="cell-queue">
        {job.queue}
      </span>
      <span role="cell" className="cell-try number">
        {job.attempt === 0 ? <span className="dim">–</span> : `${job.attempt}/${job.maxAttempts}`}
      </span>
      <span role="cell" className="cell-ran number">
        {job.startTime !== undefined && (job.status === "RUNNING" || hasEnded(job.status)) ? (
          <Took from={job.startTime} to={job.endTime} />
        ) : (
          <span className="dim">–</span>
        )}
      </span>
      <span role="cell" className="cell-when number">
        <When at={job.createTime} />
      </span>
    </>
  );
}

/** The head of a list of jobs. */
export const JobHead = () => (
  <div role="row" className="row-head job-row">
    {JOB_COLUMNS.map((name) => (
      <span key={name} role="columnheader" data-column={name}>
        {name}
      </span>
    ))}
  </div>
);
