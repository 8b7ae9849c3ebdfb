import { METRIC } from "../../../chassis/src/telemetry/attributes.ts";
import type { DashboardPlan } from "./dashboard-plan.ts";
import { latencyPanel, meanOf, quantileOf, rateOf, sharedGauge } from "./promql.ts";

/** The way of a job through every service, from the request to the read model, one row for each stretch. */
export const FLOW_DASHBOARD: DashboardPlan = {
  uid: "orrery-flow",
  title: "Orrery: the way of a job",
  tells:
    "From the request at the edge to the line in a list. The first row that stands out is where to look.",
  choices: [],
  rows: [
    {
      title: "1 · Handed over: edge → jobs",
      panels: [
        {
          title: "Jobs in, jobs out",
          tells: "Accepted and ended jobs in a second. Apart for long: a backlog grows or shrinks.",
          unit: "short",
          queries: [
            { expr: rateOf("orrery_jobs_submitted_total"), legend: "submitted" },
            { expr: rateOf("orrery_jobs_finished_total", "status"), legend: "{{status}}" },
          ],
        },
        {
          title: "A submit at the edge, p95",
          tells: "POST /v1/jobs as its caller sees it; those that wait for the job's end included.",
          unit: "s",
          queries: [
            {
              expr: quantileOf(0.95, "orrery_http_duration_seconds", 'route="/v1/jobs",method="POST"'),
              legend: "POST /v1/jobs",
            },
          ],
        },
        {
          title: "A batch of submits in jobs, p95",
          tells: "One call of a gateway, one transaction: durable when it ends.",
          unit: "s",
          queries: [
            {
              expr: quantileOf(0.95, METRIC.RPC_SERVER_SECONDS, 'service="jobs",method="SubmitJobs"'),
              legend: "SubmitJobs",
            },
          ],
        },
        {
          title: "Waiting for a batch",
          tells: "Submits, results and heartbeats that wait for the batch before them.",
          unit: "short",
          queries: [
            { expr: `max by (service, batch) (${METRIC.BATCH_WAITING})`, legend: "{{service}} {{batch}}" },
          ],
        },
      ],
    },
    {
      title: "2 · Told: outbox → stream",
      panels: [
        {
          title: "Outbox: events that wait",
          tells: "Committed and not acknowledged by the broker.",
          unit: "short",
          queries: [{ expr: sharedGauge(METRIC.OUTBOX_PENDING, "service"), legend: "{{service}}" }],
        },
        {
          title: "Outbox: age of the oldest",
          tells: "Over a minute somebody is told: runbook outbox-stuck.",
          unit: "s",
          queries: [{ expr: sharedGauge(METRIC.OUTBOX_OLDEST_SECONDS, "service"), legend: "{{service}}" }],
        },
        {
          title: "Published events",
          tells:
            "Acknowledged in a second, and those that the broker had already (after a crash of the relay).",
          unit: "short",
          queries: [
            { expr: rateOf(METRIC.OUTBOX_PUBLISHED, "service"), legend: "{{service}} published" },
            { expr: rateOf(METRIC.OUTBOX_DUPLICATES, "service"), legend: "{{service}} duplicates" },
          ],
        },
      ],
    },
    {
      title: "3 · Worked on: lease → attempt",
      panels: [
        latencyPanel({
          title: "Wait for a worker",
          tells: "From the moment a job could run to its start.",
          histogram: "orrery_job_wait_seconds",
          selector: 'service="jobs"',
        }),
        latencyPanel({
          title: "Duration of attempts",
          tells: "From an attempt's start to its end.",
          histogram: "orrery_job_duration_seconds",
          selector: 'service="jobs"',
        }),
        {
          title: "Attempts that ended",
          tells: "LOST: the worker was not heard of any more. RELEASED: it gave the lease back.",
          unit: "short",
          queries: [{ expr: rateOf("orrery_job_attempts_finished_total", "status"), legend: "{{status}}" }],
        },
        {
          title: "Results that workers reported",
          tells: "As the built-in worker had them answered; anything but ACCEPTED came too late or twice.",
          unit: "short",
          queries: [
            { expr: rateOf("orrery_worker_results_total", "kind, reason"), legend: "{{kind}} {{reason}}" },
          ],
        },
      ],
    },
    {
      title: "4 · Shown: stream → read model",
      panels: [
        {
          title: "Consumers: messages before them",
          tells: "Published and not dealt with.",
          unit: "short",
          queries: [
            { expr: sharedGauge("orrery_consumer_lag", "service, consumer"), legend: "{{consumer}}" },
          ],
        },
        {
          title: "Lists are behind by",
          tells: "Everything that was published before that is searchable.",
          unit: "s",
          queries: [{ expr: sharedGauge("orrery_projection_lag_seconds"), legend: "behind" }],
        },
        {
          title: "Dead letters",
          tells: "Messages given up within an hour. Each wants a look: runbook dead-letters-present.",
          unit: "short",
          queries: [
            {
              expr: "sum by (service, consumer) (increase(orrery_dead_letters_total[1h]))",
              legend: "{{consumer}}",
            },
          ],
        },
        {
          title: "Batches written",
          tells: "In a second; a batch holds up to some hundred events.",
          unit: "ops",
          queries: [
            {
              expr: rateOf('orrery_read_model_operation_duration_seconds_count{operation="apply"}'),
              legend: "batches",
            },
          ],
        },
      ],
    },
    {
      title: "5 · Together: missions",
      panels: [
        {
          title: "Missions in, missions out",
          tells: "Launched and ended in an hour, by their end.",
          unit: "short",
          queries: [
            { expr: "sum(increase(orrery_missions_started_total[1h]))", legend: "launched" },
            { expr: "sum by (status) (increase(orrery_missions_finished_total[1h]))", legend: "{{status}}" },
          ],
        },
        {
          title: "Missions under way",
          tells: "By status, now.",
          unit: "short",
          queries: [{ expr: sharedGauge("orrery_missions_open", "status"), legend: "{{status}}" }],
        },
        {
          title: "Waiting for a person",
          tells: "Nothing goes on by itself: runbook mission-needs-attention.",
          unit: "short",
          shows: "number",
          queries: [{ expr: sharedGauge("orrery_missions_needing_attention"), legend: "missions" }],
        },
        {
          title: "Duration of missions",
          tells: "From launch to end, on average.",
          unit: "s",
          queries: [
            {
              expr: meanOf("orrery_mission_duration_seconds"),
              legend: "on average",
            },
          ],
        },
      ],
    },
  ],
};
