import type { Statement } from "@orrery/mesh/postgres/pool";

/** One after the other in the order given, which is that of the ids, so that two callers never wait in a ring. */
export const HOLD_IDS: Statement = {
  name: "step.hold",
  text: "select pg_advisory_xact_lock(hashtextextended(id, 1)) from unnest($1::text[]) as asked (id)",
};
