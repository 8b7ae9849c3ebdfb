/**
 * The one list of processes. The launcher, the manifests, the scrape targets and the ownership rules are made
 * from it: a new service is one entry here and one folder.
 */

/** One kind of process. */
export interface Workload {
  /** The name in certificates, metrics, `run.json` and the cluster. */
  readonly name: WorkloadName;
  /** The folder of its workspace, from the root. */
  readonly folder: string;
  /** What Node runs, from `folder`. */
  readonly main: string;
  /** The team that answers for it, as CODEOWNERS writes it. */
  readonly owner: string;
  /** Where it listens in a cluster; the launcher picks free ports on a laptop. */
  readonly ports: WorkloadPorts;
  /** Its own database, or null: no two workloads share one. */
  readonly database: WorkloadDatabase | null;
  /** What it may say and hear on NATS, or null: it has no user there. */
  readonly nats: NatsPermissions | null;
  /** The workloads it calls. */
  readonly peers: readonly WorkloadName[];
  readonly memory: WorkloadMemory;
  readonly slo: SloClass;
  /** How many run unless said otherwise. */
  readonly replicas: number;
}

/** Every workload of the platform, as certificates and policies name it. */
export type WorkloadName = "jobs" | "orchestrator" | "alerts" | "worker" | "observatory" | "gateway";

/** Where a workload listens in a cluster; on a laptop the launcher gives out free ports. */
export interface WorkloadPorts {
  readonly grpc: number;
  readonly admin: number;
  /** Only where it faces the outside. */
  readonly http?: number;
}

/** A database and the two roles that reach it. */
export interface WorkloadDatabase {
  readonly name: string;
  /** What the running service logs in as. It owns nothing: it has what migrations grant. */
  readonly role: string;
  /** What migrations log in as. It owns the schema, and no service runs as it. */
  readonly ownerRole: string;
  /**
   * Connections of one replica, by purpose; mesh/dev/test/topology.test.ts holds their sum against the
   * server's limit.
   */
  readonly pools: Readonly<Record<string, number>>;
}

/**
 * Subjects of core NATS and of the JetStream API that a user may publish to and subscribe to; all else is
 * refused.
 */
export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What one replica may take, in MiB. */
export interface WorkloadMemory {
  /**
   * V8's young generation, of which there are three such spaces at most. It grows with what is allocated, so a large
   * one costs an idle service nothing; a batch of 500 jobs outlives a small one and is copied and copied (60 of the
   * 155 µs that a drained job cost the engine at 16 MiB).
   */
  readonly semiSpaceMiB: number;
  readonly oldSpaceMiB: number;
  /**
   * How large V8's old generation may become before it is looked through for the first time. Where what is in flight
   * is about as much as all that stays, V8's own choice is a full collection after every young one, which was a fifth
   * of what a drained job cost the engine. @default V8's own choice
   */
  readonly oldSpaceStartMiB?: number;
  /** The limit of its container. */
  readonly limitMiB: number;
}

/**
 * `serving`: its failure is seen by callers at once. `delayed`: what it does may lag, and nothing is lost.
 */
export type SloClass = "serving" | "delayed";

/**
 * What JetStream's API asks of a user that keeps one stream: look at it, make it, bring it up to date. Never
 * delete.
 */
const keeps = (stream: string): readonly string[] => [
  "$JS.API.INFO",
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.STREAM.CREATE.${stream}`,
  `$JS.API.STREAM.UPDATE.${stream}`,
];

/** How the replicas of a service tell each other that there is something to do. */
const wakes = (service: string): string => `orrery.wake.${service}.>`;

/** What publishing a service's outbox asks of its user: its events, its stream, and a word to its other replicas. */
const emits = (service: string): readonly string[] => [
  `orrery.events.v1.${service}.>`,
  wakes(service),
  ...keeps(`ORRERY_${service.toUpperCase()}`),
];

/**
 * What JetStream asks of a user that consumes a stream by durable pull consumers of its own. It may delete a
 * consumer, to make it anew with other settings: the stream keeps every event.
 */
const consumes = (stream: string): readonly string[] => [
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.INFO.${stream}.>`,
  `$JS.API.CONSUMER.DELETE.${stream}.>`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.>`,
  `$JS.ACK.${stream}.>`,
];

/**
 * What every PostgreSQL of ours is told, in a cluster and on a laptop, for many short statements on a small machine: no
 * JIT and no parallel plans (both cost more than they save there), checkpoints far apart. A table is analysed when as
 * many of its rows have changed as it holds: the plans of the busy tables choose between few indexes, and after every
 * tenth it was a fifth of what the database did for submissions.
 */
export const POSTGRES_TUNING = {
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  jit: "off",
  max_parallel_workers_per_gather: "0",
  random_page_cost: "1.1",
  autovacuum_naptime: "10s",
  autovacuum_analyze_scale_factor: "1",
  max_locks_per_transaction: "256",
} as const;

/** The platform: everything that is started, deployed and given an identity is listed here once. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: "jobs",
    folder: "services/jobs",
    main: "src/main.ts",
    owner: "@orrery/services",
    ports: { grpc: 7001, admin: 9001 },
    database: {
      name: "jobs",
      role: "jobs",
      ownerRole: "jobs_owner",
      pools: { command: 16, lease: 8, relay: 3 },
    },
    nats: {
      publish: emits("jobs"),
      subscribe: ["_INBOX.jobs.>", wakes("jobs")],
    },
    peers: [],
    memory: { semiSpaceMiB: 48, oldSpaceMiB: 512, oldSpaceStartMiB: 256, limitMiB: 768 },
    slo: "serving",
    replicas: 1,
  },
  {
    name: "orchestrator",
    folder: "services/orchestrator",
    main: "src/main.ts",
    owner: "@orrery/services",
    ports: { grpc: 7001, admin: 9001 },
    database: {
      name: "orchestrator",
      role: "orchestrator",
      ownerRole: "orchestrator_owner",
      pools: { command: 10, relay: 3 },
    },
    nats: {
      publish: [
        ...emits("orchestrator"),
        ...consumes("ORRERY_JOBS"),
        ...keeps("ORRERY_DEAD_LETTERS"),
        "orrery.dead_letters.>",
      ],
      subscribe: ["_INBOX.orchestrator.>", wakes("orchestrator")],
    },
    peers: ["jobs"],
    memory: { semiSpaceMiB: 16, oldSpaceMiB: 384, oldSpaceStartMiB: 96, limitMiB: 512 },
    slo: "serving",
    replicas: 1,
  },
  {
    name: "worker",
    folder: "services/worker",
    main: "src/main.ts",
    owner: "@orrery/services",
    ports: { grpc: 7001, admin: 9001 },
    database: null,
    nats: null,
    peers: ["jobs"],
    memory: { semiSpaceMiB: 1, oldSpaceMiB: 256, limitMiB: 384 },
    slo: "delayed",
    replicas: 1,
  },
  {
    name: "observatory",
    folder: "services/observatory",
    main: "src/main.ts",
    owner: "@orrery/services",
    ports: { grpc: 7001, admin: 9001 },
    database: null,
    nats: {
      publish: [
        ...["ORRERY_JOBS", "ORRERY_ORCHESTRATOR", "ORRERY_ALERTS"].flatMap(consumes),
        ...keeps("ORRERY_DEAD_LETTERS"),
        "orrery.dead_letters.>",
      ],
      subscribe: ["_INBOX.observatory.>"],
    },
    peers: ["jobs"],
    memory: { semiSpaceMiB: 16, oldSpaceMiB: 384, oldSpaceStartMiB: 96, limitMiB: 512 },
    slo: "delayed",
    replicas: 1,
  },
  {
    name: "alerts",
    folder: "services/alerts",
    main: "src/main.ts",
    owner: "@orrery/services",
    ports: { grpc: 7001, admin: 9001 },
    database: {
      name: "alerts",
      role: "alerts",
      ownerRole: "alerts_owner",
      pools: { command: 4, relay: 2 },
    },
    nats: {
      publish: emits("alerts"),
      subscribe: ["_INBOX.alerts.>", wakes("alerts")],
    },
    peers: [],
    memory: { semiSpaceMiB: 4, oldSpaceMiB: 256, limitMiB: 384 },
    slo: "delayed",
    replicas: 1,
  },
  {
    name: "gateway",
    folder: "edge/gateway",
    main: "src/main.ts",
    owner: "@orrery/services",
    ports: { grpc: 8081, admin: 9001, http: 8080 },
    database: null,
    nats: null,
    peers: ["jobs", "orchestrator", "observatory", "alerts"],
    memory: { semiSpaceMiB: 48, oldSpaceMiB: 512, oldSpaceStartMiB: 256, limitMiB: 768 },
    slo: "serving",
    replicas: 1,
  },
];

/** Identities that are no process of ours: a person at the keyboard, the scraper, and the sender of alerts. */
export const CLIENTS: readonly { readonly name: string; readonly nats: NatsPermissions | null }[] = [
  {
    name: "operator",
    // Reads every stream through consumers that vanish with the connection; changes nothing.
    nats: {
      publish: [
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.STREAM.MSG.GET.*",
        "$JS.API.DIRECT.GET.>",
        "$JS.API.CONSUMER.NAMES.*",
        "$JS.API.CONSUMER.LIST.*",
        "$JS.API.CONSUMER.INFO.>",
        "$JS.API.CONSUMER.CREATE.>",
        "$JS.API.CONSUMER.DELETE.>",
        "$JS.API.CONSUMER.MSG.NEXT.>",
        "$JS.FC.>",
        "$JS.ACK.>",
      ],
      subscribe: ["_INBOX.>", "orrery.>"],
    },
  },
  { name: "prometheus", nats: null },
  { name: "alertmanager", nats: null },
];

/** The servers that show a certificate of their own. */
export const SERVERS = ["postgres", "nats"] as const;

/** Connections that PostgreSQL keeps for its superuser, the launcher's own and a migration's. */
export const RESERVED_CONNECTIONS = 8;

/** The connections that every replica of a workload may open. */
export const poolSize = (database: WorkloadDatabase): number =>
  Object.values(database.pools).reduce((sum, size) => sum + size, 0);

/**
 * What V8 is told of a workload's heap.
 *
 * V8 watches which code makes objects that survive, and after a few large batches allocates that code's objects as old
 * at once: they, and all that they refer to, then stay until a full collection. Without that (pretenuring) a collection
 * of the gateway's young objects took 1 ms and not 5 to 10. The chassis clears up by itself, once, after the start.
 */
export const heapFlags = ({
  semiSpaceMiB,
  oldSpaceMiB,
  oldSpaceStartMiB,
}: WorkloadMemory): readonly string[] => [
  `--max-semi-space-size=${semiSpaceMiB}`,
  `--max-old-space-size=${oldSpaceMiB}`,
  ...(oldSpaceStartMiB === undefined ? [] : [`--initial-old-space-size=${oldSpaceStartMiB}`]),
  "--no-allocation-site-pretenuring",
  "--expose-gc",
];
