import { useSearch } from "@tanstack/react-router";
import type { Job } from "../api/contract.ts";
import { jobs, type Listing, newestJobs } from "../data/readings.ts";
import { JobCells, JobHead } from "../parts/job-rows.tsx";
import { ListPage } from "./list-page.tsx";

const VIEWS = [
  ["All", ""],
  ["In flight", "status:scheduled,queued,running,retrying"],
  ["Running", "status:running"],
  ["Retrying", "status:retrying"],
  ["Failed", "status:failed"],
  ["Failed today", "status:failed finished:today"],
  ["Slow", "duration:>10s"],
] as const;

const ORDERS = [
  ["", "newest first"],
  ["createTime asc", "oldest first"],
  ["startTime desc", "latest started"],
  ["endTime desc", "latest ended"],
  ["priority desc", "highest priority"],
] as const;

const COMMAND = `npx orrery job run orrery.sleep -i '{"ms":1500}'`;

const LISTING: Listing<"listJobs", Job> = {
  pages: jobs,
  newest: newestJobs,
  rowsOf: (page) => page.jobs,
};

/** Jobs that fit a query, live. */
export function JobsPage() {
  const { q = "", orderBy = "" } = useSearch({ from: "/jobs" });
  return (
    <ListPage
      name="Jobs"
      noun="job"
      to="/jobs"
      asked={{ q, orderBy }}
      listing={LISTING}
      placeholder="status:failed task:video.* created:>-2h"
      views={VIEWS}
      orders={ORDERS}
      command={COMMAND}
      head={<JobHead />}
      rowClass="job-row"
      cells={(job) => <JobCells job={job} />}
    />
  );
}
