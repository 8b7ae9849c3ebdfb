import { METRIC } from "../../../chassis/src/telemetry/attributes.ts";
import { OUR_FAULTS } from "../../src/slo/rules.ts";
import type { DashboardPlan, PanelPlan, RowPlan } from "./dashboard-plan.ts";
import { latencyPanel, quantileOf, rateOf, sharedGauge, shareOf } from "./promql.ts";

const SERVICE = 'service=~"$service"';
const SERVED = `${METRIC.RPC_SERVER_SECONDS}_count`;
const CALLED = `${METRIC.RPC_CLIENT_SECONDS}_count`;
const LEAF_LEFT = `${METRIC.CERTIFICATE_EXPIRY_SECONDS}{${SERVICE}}`;
const LEAF_LIFE = `${METRIC.CERTIFICATE_LIFETIME_SECONDS}{${SERVICE}}`;
const BUSY = `${METRIC.POSTGRES_CONNECTIONS}{${SERVICE},state="busy"}`;
const POOL_SIZE = `${METRIC.POSTGRES_POOL_SIZE}{${SERVICE}}`;
const HTTP = "orrery_http_duration_seconds";

const health: RowPlan = {
  title: "Is it well?",
  panels: [
    {
      title: "Replicas up",
      tells:
        "Replicas whose metrics Prometheus can read. Fewer than were started: see the runbook service-down.",
      unit: "short",
      shows: "number",
      queries: [{ expr: `sum by (service) (up{${SERVICE}})`, legend: "{{service}}" }],
    },
    {
      title: "Readiness checks that fail",
      tells: "What readiness depends on, and does not answer. 0 is well.",
      unit: "short",
      queries: [
        {
          expr: `sum by (service, check) (1 - ${METRIC.READINESS_CHECK}{${SERVICE}})`,
          legend: "{{service}} {{check}}",
        },
      ],
    },
    {
      title: "Breakers",
      tells: "0 closed, 1 half open, 2 open: calls to that dependency are held back.",
      unit: "short",
      queries: [
        {
          expr: sharedGauge(`${METRIC.BREAKER_STATE}{${SERVICE}}`, "service, dependency"),
          legend: "{{service}} → {{dependency}}",
        },
      ],
    },
    {
      title: "Certificate: life left",
      tells:
        "The part of the leaf's life that is left. It is renewed at a half; below a quarter somebody is told.",
      unit: "percentunit",
      queries: [
        {
          expr: `min by (service) (${LEAF_LEFT} / ${LEAF_LIFE})`,
          legend: "{{service}}",
        },
      ],
    },
  ],
};

const served: RowPlan = {
  title: "Calls served (rate, errors, duration)",
  panels: [
    {
      title: "Calls by RPC",
      tells: "Calls served in a second, by RPC; a stream counts when it ends.",
      unit: "reqps",
      queries: [
        { expr: rateOf(`${SERVED}{${SERVICE}}`, "service, method"), legend: "{{service}} {{method}}" },
      ],
    },
    {
      title: "Calls by code",
      tells: "How calls ended. Not all but OK is bad: see the next panel for what is ours.",
      unit: "reqps",
      queries: [{ expr: rateOf(`${SERVED}{${SERVICE}}`, "code"), legend: "{{code}}" }],
    },
    {
      title: "Faults of ours",
      tells: `The part of the calls that ended in ${OUR_FAULTS.join(", ")}.`,
      unit: "percentunit",
      queries: [
        {
          expr: shareOf(
            `${SERVED}{${SERVICE},code=~"${OUR_FAULTS.join("|")}"}`,
            `${SERVED}{${SERVICE}}`,
            "service",
          ),
          legend: "{{service}}",
        },
      ],
    },
    {
      title: "Duration by service, p95",
      tells: "95 of 100 calls are faster. Long polls of workers (LeaseJobs) and streams are left out.",
      unit: "s",
      queries: [
        {
          expr: quantileOf(
            0.95,
            METRIC.RPC_SERVER_SECONDS,
            `${SERVICE},method!~"LeaseJobs|Watch.*|Work|.*Stream"`,
            "service",
          ),
          legend: "{{service}}",
        },
      ],
    },
  ],
};

const routes: RowPlan = {
  title: "Requests at the edge",
  panels: [
    {
      title: "Requests by route",
      tells: "Requests answered in a second, by route.",
      unit: "reqps",
      queries: [{ expr: rateOf(`${HTTP}_count`, "method, route"), legend: "{{method}} {{route}}" }],
    },
    {
      title: "Requests by status",
      tells: "499: the client did not wait. 429: over its rate.",
      unit: "reqps",
      queries: [{ expr: rateOf(`${HTTP}_count`, "status"), legend: "{{status}}" }],
    },
    {
      title: "Server errors",
      tells: "The part of the requests that were answered with a status from 500 on.",
      unit: "percentunit",
      queries: [{ expr: shareOf(`${HTTP}_count{status=~"5.."}`, `${HTTP}_count`), legend: "5xx" }],
    },
    latencyPanel({
      title: "Duration of requests",
      tells: "From the first header to the end of the answer; streams and waiting submits included.",
      histogram: HTTP,
      selector: 'service="gateway"',
    }),
  ],
};

const called: RowPlan = {
  title: "Calls made to other services",
  panels: [
    {
      title: "Calls by RPC",
      tells: "Calls made in a second, repeats included.",
      unit: "reqps",
      queries: [
        { expr: rateOf(`${CALLED}{${SERVICE}}`, "service, method"), legend: "{{service}} → {{method}}" },
      ],
    },
    {
      title: "Duration, p95",
      tells: "As the caller sees it: the network and the other side's queue included.",
      unit: "s",
      queries: [
        {
          expr: quantileOf(
            0.95,
            METRIC.RPC_CLIENT_SECONDS,
            `${SERVICE},method!~"LeaseJobs|Watch.*|Work|.*Stream"`,
            "service",
          ),
          legend: "{{service}}",
        },
      ],
    },
    {
      title: "Calls refused by policy",
      tells: "A workload called what it may not call. Anything but 0 wants an explanation.",
      unit: "reqps",
      queries: [
        { expr: rateOf(METRIC.POLICY_DENIED, "rpc_service, method"), legend: "{{rpc_service}}/{{method}}" },
      ],
    },
  ],
};

const processes: readonly PanelPlan[] = [
  {
    title: "Processor",
    tells: "Seconds of processor time in a second, by replica. One process has one thread for its own code.",
    unit: "short",
    queries: [
      {
        expr: `sum by (service, instance) (rate(process_cpu_seconds_total{${SERVICE}}[$__rate_interval]))`,
        legend: "{{service}} {{instance}}",
      },
    ],
  },
  {
    title: "Memory",
    tells: "Resident bytes, by replica. Its limit is in mesh/topology.ts.",
    unit: "bytes",
    queries: [
      {
        expr: `max by (service, instance) (process_resident_memory_bytes{${SERVICE}})`,
        legend: "{{service}} {{instance}}",
      },
    ],
  },
  {
    title: "Event loop: delay, p99",
    tells: "How late timers ran. Over 100 ms everything that the process serves is late by that much.",
    unit: "s",
    queries: [
      {
        expr: `max by (service, instance) (nodejs_eventloop_lag_p99_seconds{${SERVICE}})`,
        legend: "{{service}} {{instance}}",
      },
    ],
  },
  {
    title: "Garbage collection",
    tells: "Seconds in a second that the process stood still for it.",
    unit: "short",
    queries: [
      {
        expr: `sum by (service) (rate(nodejs_gc_duration_seconds_sum{${SERVICE}}[$__rate_interval]))`,
        legend: "{{service}}",
      },
    ],
  },
];

const stores: readonly PanelPlan[] = [
  {
    title: "PostgreSQL: use of the pools",
    tells: "The part of a pool's connections that work. At 1 the next piece of work waits.",
    unit: "percentunit",
    queries: [
      {
        expr: `max by (service, pool) (${BUSY} / ignoring (state) ${POOL_SIZE})`,
        legend: "{{service}} {{pool}}",
      },
    ],
  },
  {
    title: "PostgreSQL: waiting and failing",
    tells: "Work without a connection, and work that the database did not do, in a second.",
    unit: "short",
    queries: [
      {
        expr: `max by (service, pool) (${METRIC.POSTGRES_CONNECTIONS}{${SERVICE},state="waiting"})`,
        legend: "{{service}} {{pool}} waiting",
      },
      {
        expr: rateOf(`${METRIC.POSTGRES_ERRORS}{${SERVICE}}`, "service, pool"),
        legend: "{{service}} {{pool}} failed/s",
      },
    ],
  },
  {
    title: "Batches: waiting items",
    tells: "What waits for the next batch. It is bounded: beyond that callers read OVERLOADED.",
    unit: "short",
    queries: [
      {
        expr: `max by (service, batch) (${METRIC.BATCH_WAITING}{${SERVICE}})`,
        legend: "{{service}} {{batch}}",
      },
    ],
  },
  {
    title: "NATS: connection",
    tells:
      "1 connected; beside it what is sent and not acknowledged, and how often a connection came back in an hour.",
    unit: "short",
    queries: [
      { expr: `min by (service) (${METRIC.NATS_CONNECTED}{${SERVICE}})`, legend: "{{service}} connected" },
      {
        expr: `max by (service) (${METRIC.NATS_UNACKNOWLEDGED}{${SERVICE}})`,
        legend: "{{service}} unacknowledged",
      },
      {
        expr: `sum by (service) (increase(${METRIC.NATS_RECONNECTS}{${SERVICE}}[1h]))`,
        legend: "{{service}} reconnects",
      },
    ],
  },
];

const readModel: RowPlan = {
  title: "Resources: the read model",
  panels: [
    {
      title: "Operations",
      tells: "What the read model did in a second; apply writes a batch, settle makes it searchable.",
      unit: "ops",
      queries: [
        {
          expr: rateOf("orrery_read_model_operation_duration_seconds_count", "operation"),
          legend: "{{operation}}",
        },
      ],
    },
    {
      title: "Duration, p95",
      tells: "Writing and searching in the store.",
      unit: "s",
      queries: [
        {
          expr: quantileOf(
            0.95,
            "orrery_read_model_operation_duration_seconds",
            'service="observatory"',
            "operation",
          ),
          legend: "{{operation}}",
        },
      ],
    },
    {
      title: "Errors",
      tells: "What the read model failed to do, in a second.",
      unit: "ops",
      queries: [{ expr: rateOf("orrery_read_model_errors_total", "operation"), legend: "{{operation}}" }],
    },
    {
      title: "Size",
      tells: "Documents in the store, and the bytes they take.",
      unit: "short",
      shows: "number",
      queries: [
        { expr: sharedGauge("orrery_read_model_documents"), legend: "documents" },
        { expr: sharedGauge("orrery_read_model_bytes"), legend: "bytes" },
      ],
    },
  ],
};

/** Rate, errors and duration of every call, use, saturation and errors of every resource, by service. */
export const SERVICE_DASHBOARD: DashboardPlan = {
  uid: "orrery-service",
  title: "Orrery: service",
  tells: "One service or all: what it is asked for, how well it answers, and what it stands on.",
  choices: [{ name: "service", values: "up, service" }],
  rows: [
    health,
    served,
    routes,
    called,
    { title: "Resources: processes", panels: processes },
    { title: "Resources: stores and queues (use, saturation, errors)", panels: stores },
    readModel,
  ],
};
