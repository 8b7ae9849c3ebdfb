const EDGE = "gateway";
const LAST_TO_STOP = [
  // Who watches goes first: a platform that stops is nobody's alarm.
  ...["prometheus", "alertmanager", EDGE, "worker", "alerts", "orchestrator", "jobs"],
  // It takes the last spans of the others.
  "observatory",
  ...["elasticsearch", "nats", "postgres"],
];

/**
 * The names in groups that stop together, one group after the other; what is not named here stops with the
 * edge.
 */
export function stopOrder(names: readonly string[]): readonly (readonly string[])[] {
  const known = (name: string) => LAST_TO_STOP.indexOf(name.replace(/-\d+$/, ""));
  const rankOf = (name: string) => (known(name) === -1 ? LAST_TO_STOP.indexOf(EDGE) : known(name));
  return LAST_TO_STOP.map((_, rank) => names.filter((name) => rankOf(name) === rank));
}
