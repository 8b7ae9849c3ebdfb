import type { Statement } from "@orrery/mesh/postgres/pool";
import { NOW_MS } from "./job-statements.ts";

export const EXTEND_PARTITIONS: Statement = {
  name: "partitions.extend",
  text: `select extend_id_partitions(), ensure_day_partitions('idempotency_key', 3),
  drop_day_partitions('idempotency_key', interval '1 day')`,
};

export const DATABASE_NOW: Statement = { name: "clock.now", text: `select ${NOW_MS}` };
