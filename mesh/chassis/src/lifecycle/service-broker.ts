import type { NatsConnection } from "nats";
import type { BrokerConfig } from "../config/broker-config.ts";
import { connectNats } from "../messaging/connection.ts";
import { createPublisher, type Publisher } from "../messaging/publisher.ts";
import type { ServiceScope } from "./service.ts";

/** The broker, once it is there, and what writes events to it. */
export interface Broker {
  readonly connection: Promise<NatsConnection>;
  readonly publisher: Publisher;
}

/**
 * Connects a service to the broker, which may come later than the service and go away: events wait in the outbox. The
 * connection is closed with the service. Whether it is encrypted is said by the URL's scheme, which is what the
 * operator reads, and not by whether the service has an identity.
 *
 * @param options.echo - whether its own subscriptions hear what it publishes. @default true
 */
export function connectBroker(
  service: ServiceScope,
  { natsUrl }: BrokerConfig,
  { echo = true }: { readonly echo?: boolean } = {},
): Broker {
  const { config, scope, identity, logger, metrics, signal, chance } = service;
  const connection = connectNats({
    url: natsUrl,
    identity: natsUrl.startsWith("tls:") ? identity : undefined,
    name: config.instance,
    inboxPrefix: `_INBOX.${config.service}`,
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
