const LAST_TO_STOP = ["gateway", "worker", "observatory", "jobs", "elasticsearch", "nats", "postgres"];

/**
 * The names in groups that stop together, one group after the other; what is not named here stops with the
 * edge.
 */
export function stopOrder(names: readonly string[]): readonly (readonly string[])[] {
  const rankOf = (name: string) => Math.max(LAST_TO_STOP.indexOf(name.replace(/-\d+$/, "")), 0);
  return LAST_TO_STOP.map((_, rank) => names.filter((name) => rankOf(name) === rank));
}
