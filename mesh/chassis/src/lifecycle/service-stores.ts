import type { NatsConnection } from "nats";
import type { DatabaseConfig } from "../config/database-config.ts";
import type { ServiceConfig } from "../config/service-config.ts";
import { connectNats } from "../messaging/connection.ts";
import { createPublisher, type Publisher } from "../messaging/publisher.ts";
import { openPool, type Pool } from "../postgres/pool.ts";
import { createBreaker } from "../resilience/breaker.ts";
import type { ServiceScope } from "./service.ts";

/** What a service with a database and a broker is told of them, beside what every service is told. */
export interface StoreSettings extends ServiceConfig {
  readonly database: DatabaseConfig;
  /** As in `tls://127.0.0.1:4222`. */
  readonly natsUrl: string;
}

/** The broker, once it is there, and what writes events to it. */
export interface Broker {
  readonly connection: Promise<NatsConnection>;
  readonly publisher: Publisher;
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
  settings: StoreSettings,
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

/**
 * Connects a service to the broker, which may come later than the service and go away: events wait in the outbox. The
 * connection is closed with the service.
 *
 * @param options.echo - whether its own subscriptions hear what it publishes. @default true
 */
export function connectBroker(
  service: ServiceScope,
  settings: StoreSettings,
  { echo = true }: { readonly echo?: boolean } = {},
): Broker {
  const { scope, identity, logger, metrics, signal, chance } = service;
  const connection = connectNats({
    url: settings.natsUrl,
    identity: settings.identityFile === undefined ? undefined : identity,
    name: settings.instance,
    inboxPrefix: `_INBOX.${settings.service}`,
    echo,
    logger,
    metrics,
    signal,
    chance,
  });
  scope.defer(async () => {
    // The signal ends a wait for a broker that never came, with a rejection that says just that.
    const nats = await connection.catch(() => undefined);
    await nats?.close();
  });
  return { connection, publisher: createPublisher(connection, metrics) };
}
