import type { DatabaseConfig } from "../config/database-config.ts";
import type { ServiceConfig } from "../config/service-config.ts";
import { openPool, type Pool } from "../postgres/pool.ts";
import { createBreaker } from "../resilience/breaker.ts";
import type { ServiceScope } from "./service.ts";

/** What a service with a database is told of it, beside what every service is told. */
export interface DatabaseSettings extends ServiceConfig {
  readonly database: DatabaseConfig;
}

const STATEMENT_TIMEOUT_MS = 5_000;

/**
 * Opens the pools of a service, one for each purpose, so that none of them can take the connections of another. They
 * share one breaker, since they stand and fall together, and end with the service.
 *
 * @param sizes - the most connections of each, by purpose, which `pg_stat_activity` shows; a statement may take 5 s
 */
export function openPools<Purpose extends string>(
  service: ServiceScope,
  settings: DatabaseSettings,
  sizes: Readonly<Record<Purpose, number>>,
): Readonly<Record<Purpose, Pool>> {
  const { scope, identity, logger, metrics, clock, chance } = service;
  const breaker = createBreaker({ dependency: "postgres", metrics, clock, chance });
  scope.defer(() => breaker.close());
  const { name: database, ...login } = settings.database;
  const open = ([purpose, size]: [string, number]): [string, Pool] => [
    purpose,
    scope.adopt(
      openPool({
        ...login,
        database,
        size,
        applicationName: `${settings.instance} ${purpose}`,
        identity: settings.identityFile === undefined ? undefined : identity,
        statementTimeoutMs: STATEMENT_TIMEOUT_MS,
        breaker,
        logger,
        metrics,
        clock,
        chance,
      }),
      (pool) => pool.end(),
    ),
  ];
  const pools = Object.fromEntries(Object.entries<number>(sizes).map(open));
  return pools as Readonly<Record<Purpose, Pool>>;
}
