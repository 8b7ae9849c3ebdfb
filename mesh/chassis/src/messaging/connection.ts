import { type ConnectionOptions, DebugEvents, Events, type NatsConnection } from "nats";
import { Fault } from "../fault/fault.ts";
import type { IdentityFiles } from "../identity/identity-files.ts";
import { METRIC } from "../telemetry/attributes.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type Chance, systemChance } from "../time/clock.ts";
import { wait } from "../time/wait.ts";
import { connect } from "./nats-transport.ts";

/** How to reach the broker. */
export interface NatsOptions {
  /** As in `tls://127.0.0.1:4222`; several, comma-separated, are tried in turn. */
  readonly url: string;
  /**
   * Key and certificate for TLS, read anew at every connect. Without it the connection is plain, for tests.
   */
  readonly identity?: Pick<IdentityFiles, "current"> | undefined;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  /**
   * Where replies to this connection go, as in `_INBOX.<service>`: all that the service may subscribe to
   * there.
   */
  readonly inboxPrefix?: string;
  /** Whether its own subscriptions hear what it publishes. @default true */
  readonly echo?: boolean;
  readonly logger: Logger;
  /** Where the state of the connection shows. */
  readonly metrics?: Metrics | undefined;
  /** Ends the attempts to connect for the first time. */
  readonly signal?: AbortSignal;
  readonly chance?: Chance;
}

const DEFAULT_INBOX = "_INBOX";
const ATTEMPT_MS = 5_000;
const RECONNECT_BASE_MS = 100;
const RECONNECT_SPREAD_MS = 400;
/** A broker that answers no ping is given up on after two of these. */
const PING_EVERY_MS = 5_000;

const inboxes = new WeakMap<NatsConnection, string>();

/**
 * Connects to the broker and stays connected: lost connections come back by themselves, for ever, after 100
 * to 500 ms.
 *
 * Resolves at the first connection, which may be long after the start: pass the promise on to
 * `createPublisher`, `startConsumer` and `subscribeWake`, and do not wait for it on the way to serving.
 *
 * @throws Fault `CANCELLED` when the signal ends the wait
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const { logger, signal, chance = systemChance } = options;
  const state = options.metrics === undefined ? undefined : connectionState(options.metrics);
  for (let attempt = 1; signal?.aborted !== true; attempt += 1) {
    try {
      const connection = await connect(connectionOptions(options, chance));
      inboxes.set(connection, options.inboxPrefix ?? DEFAULT_INBOX);
      state?.opened();
      void follow(connection, logger, state);
      return connection;
    } catch (failure) {
      if (attempt === 1) logger.warn("the broker is not there yet", { error: failure });
    }
    await wait(RECONNECT_BASE_MS + RECONNECT_SPREAD_MS * chance.next(), signal);
  }
  throw new Fault("CANCELLED", { detail: "stopped before the broker was there" });
}

/** The prefix under which a connection may receive replies. */
export function inboxPrefixOf(connection: NatsConnection): string {
  return inboxes.get(connection) ?? DEFAULT_INBOX;
}

function connectionOptions(options: NatsOptions, chance: Chance): ConnectionOptions {
  const { url, identity, name, inboxPrefix = DEFAULT_INBOX, echo = true } = options;
  return {
    servers: url.split(",").map((server) => server.trim().replace(/^(tls|nats):\/\//, "")),
    name,
    inboxPrefix,
    noEcho: !echo,
    timeout: ATTEMPT_MS,
    maxReconnectAttempts: -1,
    // A leaf that expires during a pause of this process is refused once or twice and then renewed.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => RECONNECT_BASE_MS + Math.round(RECONNECT_SPREAD_MS * chance.next()),
    pingInterval: PING_EVERY_MS,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(identity === undefined ? {} : { tls: tlsFrom(identity) }),
  };
}

/**
 * Getters, because the library reads these three at every dial: a rotated leaf is taken into use without a
 * restart.
 */
function tlsFrom(identity: Pick<IdentityFiles, "current">): NonNullable<ConnectionOptions["tls"]> {
  return {
    get key() {
      return identity.current().keyPem;
    },
    get cert() {
      return identity.current().certPem;
    },
    get ca() {
      return identity.current().caPem;
    },
  };
}

/** What the metrics tell of one connection. */
interface ConnectionState {
  opened(): void;
  turned(connected: boolean): void;
}

function connectionState(metrics: Metrics): ConnectionState {
  const connected = metrics.gauge(
    METRIC.NATS_CONNECTED,
    "Whether there is a connection to the broker: 1 or 0.",
  );
  const reconnects = metrics.counter(METRIC.NATS_RECONNECTS, "Times that a lost connection came back.");
  connected.set(0);
  return {
    opened: () => connected.set(1),
    turned: (isConnected) => {
      connected.set(isConnected ? 1 : 0);
      if (isConnected) reconnects.inc();
    },
  };
}

async function follow(
  connection: NatsConnection,
  logger: Logger,
  state: ConnectionState | undefined,
): Promise<void> {
  for await (const { type, data } of connection.status()) {
    if (type === Events.Disconnect) state?.turned(false);
    if (type === Events.Reconnect) state?.turned(true);
    if (type === Events.Disconnect) logger.warn("the broker is gone");
    else if (type === Events.Reconnect) logger.info("the broker is back");
    else if (type === Events.Error) logger.error("the broker refused something", { reason: data });
    else if (type === DebugEvents.StaleConnection) logger.warn("the broker answers no ping");
  }
}
