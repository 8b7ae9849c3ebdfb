/** The events of the edge that security reads, as `Logger.security` writes them. The names are public. */
export const SECURITY_EVENT = {
  /** A request without a key that holds. */
  AUTHENTICATION_FAILED: "edge.authentication_failed",
  /** A key was used for another project than its own. */
  PROJECT_REFUSED: "edge.project_refused",
  /** A key was used for what it has no scope for. */
  SCOPE_REFUSED: "edge.scope_refused",
  /** A key has used up its requests; once, until it has some again. */
  RATE_LIMITED: "edge.rate_limited",
  /** The keys were read again, because their file changed. */
  KEYS_RELOADED: "edge.keys_reloaded",
} as const;
