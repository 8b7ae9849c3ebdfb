// Names are API: dashboards, alerts and other people's queries rely on them. A metric of the chassis has its
// name here.

/** The metrics that the chassis itself writes. */
export const METRIC = {
  RPC_SERVER_SECONDS: "orrery_rpc_server_duration_seconds",
  RPC_CLIENT_SECONDS: "orrery_rpc_client_duration_seconds",
  POLICY_DENIED: "orrery_policy_denied_total",
  BREAKER_STATE: "orrery_breaker_state",
  BREAKER_CHANGES: "orrery_breaker_changes_total",
  READINESS_CHECK: "orrery_readiness_check",
  CERTIFICATE_EXPIRY_SECONDS: "orrery_certificate_expiry_seconds",
  CERTIFICATE_LIFETIME_SECONDS: "orrery_certificate_lifetime_seconds",
  POSTGRES_CONNECTIONS: "orrery_postgres_connections",
  POSTGRES_POOL_SIZE: "orrery_postgres_pool_size",
  POSTGRES_ERRORS: "orrery_postgres_errors_total",
  NATS_CONNECTED: "orrery_nats_connected",
  NATS_RECONNECTS: "orrery_nats_reconnects_total",
  NATS_UNACKNOWLEDGED: "orrery_nats_unacknowledged",
  BATCH_WAITING: "orrery_batch_waiting",
  OUTBOX_PENDING: "orrery_outbox_pending",
  OUTBOX_OLDEST_SECONDS: "orrery_outbox_oldest_seconds",
  OUTBOX_PUBLISHED: "orrery_outbox_published_total",
  OUTBOX_DUPLICATES: "orrery_outbox_duplicates_total",
  CONSUMER_LAG: "orrery_consumer_lag",
  DEAD_LETTERS: "orrery_dead_letters_total",
} as const;

/** The attributes of spans that the chassis itself sets. */
export const ATTR = {
  /** The workload that calls. */
  CALLER: "orrery.caller",
  /** The project that the work is done for: who may see the span. */
  PROJECT: "orrery.project",
  /** The id of what the work is about. */
  AGGREGATE: "orrery.aggregate",
  /** Whether a request may change something; the edge says so where a trace begins. */
  CHANGE: "orrery.change",
  /** The type of the event that is published or consumed. */
  EVENT: "orrery.event",
} as const;

/** The events that security reads, as `Logger.security` writes them. */
export const SECURITY_EVENT = {
  /** A TLS handshake failed: no certificate, a foreign one, or an old protocol. */
  HANDSHAKE_REFUSED: "identity.handshake_refused",
  /** A verified peer has no workload's name in its certificate. */
  NAME_REFUSED: "identity.name_refused",
  /** A workload called what it may not call. */
  CALLER_REFUSED: "policy.caller_refused",
  /** A workload spoke for a project without being allowed to. */
  ON_BEHALF_REFUSED: "policy.on_behalf_refused",
  /** New key and certificate were taken into use. */
  IDENTITY_ROTATED: "identity.rotated",
} as const;
