// Names are API: dashboards, alerts and other people's queries rely on them. A metric of the chassis has its
// name here.

/** The metrics that the chassis itself writes. */
export const METRIC = {
  RPC_SERVER_SECONDS: "orrery_rpc_server_duration_seconds",
  RPC_CLIENT_SECONDS: "orrery_rpc_client_duration_seconds",
  POLICY_DENIED: "orrery_policy_denied_total",
  BREAKER_STATE: "orrery_breaker_state",
} as const;

/** The attributes of spans that the chassis itself sets. */
export const ATTR = {
  /** The workload that calls. */
  CALLER: "orrery.caller",
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
