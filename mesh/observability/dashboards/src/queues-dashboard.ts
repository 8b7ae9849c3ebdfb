import type { DashboardPlan } from "./dashboard-plan.ts";
import { rateOf, sharedGauge } from "./promql.ts";

/** A queue without open jobs has no series: 0, and not nothing. */
const orZero = (expr: string): string => `${expr} or vector(0)`;

const QUEUE = 'queue=~"$queue"';

/** What waits where, for how long, and what becomes of it. */
export const QUEUES_DASHBOARD: DashboardPlan = {
  uid: "orrery-queues",
  title: "Orrery: queues",
  tells:
    "What waits in which queue, and for how long. The first 200 queues have their name, all others are _other.",
  choices: [{ name: "queue", values: "orrery_queue_depth, queue" }],
  rows: [
    {
      title: "Now",
      panels: [
        {
          title: "Ready",
          tells: "Jobs that could run and have no worker yet, in all queues.",
          unit: "short",
          shows: "number",
          queries: [{ expr: "orrery:jobs_ready:sum", legend: "ready" }],
        },
        {
          title: "Running",
          tells: "Jobs that a worker holds.",
          unit: "short",
          shows: "number",
          queries: [
            {
              expr: orZero(`sum(${sharedGauge(`orrery_queue_depth{status="RUNNING",${QUEUE}}`, "queue")})`),
              legend: "running",
            },
          ],
        },
        {
          title: "Oldest",
          tells: "How long the longest waiting ready job has waited.",
          unit: "s",
          shows: "number",
          queries: [{ expr: orZero(sharedGauge(`orrery_queue_oldest_seconds{${QUEUE}}`)), legend: "oldest" }],
        },
        {
          title: "Failing",
          tells: "The part of the jobs that ended FAILED within five minutes. Over 10 % somebody is told.",
          unit: "percentunit",
          shows: "number",
          queries: [{ expr: "orrery:jobs_failed:ratio_rate5m", legend: "failed" }],
        },
      ],
    },
    {
      title: "By queue",
      panels: [
        {
          title: "Ready, by queue",
          tells: "Jobs that could run, by queue.",
          unit: "short",
          queries: [
            {
              expr: orZero(sharedGauge(`orrery_queue_depth{status="QUEUED",${QUEUE}}`, "queue")),
              legend: "{{queue}}",
            },
          ],
        },
        {
          title: "Oldest, by queue",
          tells: "A line that climbs at 45 degrees is a queue that nobody serves.",
          unit: "s",
          queries: [
            {
              expr: orZero(sharedGauge(`orrery_queue_oldest_seconds{${QUEUE}}`, "queue")),
              legend: "{{queue}}",
            },
          ],
        },
        {
          title: "Open jobs, by status",
          tells: "Scheduled, ready, running, and waiting for their next attempt.",
          unit: "short",
          queries: [
            {
              expr: orZero(
                `sum by (status) (${sharedGauge(`orrery_queue_depth{${QUEUE}}`, "queue, status")})`,
              ),
              legend: "{{status}}",
            },
          ],
        },
      ],
    },
    {
      title: "What becomes of it",
      panels: [
        {
          title: "Ends",
          tells: "Jobs that ended in a second, by how.",
          unit: "short",
          queries: [{ expr: rateOf("orrery_jobs_finished_total", "status"), legend: "{{status}}" }],
        },
        {
          title: "Balance",
          tells: "Submitted less ended, in a second. Above 0 the backlog grows.",
          unit: "short",
          queries: [
            {
              expr: `${rateOf("orrery_jobs_submitted_total")} - ${rateOf("orrery_jobs_finished_total")}`,
              legend: "growth",
            },
          ],
        },
        {
          title: "Attempts lost",
          tells: "The part of the attempts that ended without their worker's word.",
          unit: "percentunit",
          queries: [{ expr: "orrery:attempts_lost:ratio_rate5m", legend: "lost" }],
        },
      ],
    },
  ],
};
