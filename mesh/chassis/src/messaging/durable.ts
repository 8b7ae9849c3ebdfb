import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
  type NatsConnection,
  ReplayPolicy,
} from "nats";
import { apiErrorCode, streamState } from "./streams.ts";

/** How a durable consumer is to be. */
export interface DurableDeclaration {
  readonly stream: string;
  readonly durable: string;
  readonly filterSubjects: readonly string[];
  readonly ackWaitNs: number;
  readonly maxDeliver: number;
  readonly maxAckPending: number;
}

const CONSUMER_NOT_FOUND = 10014;

/**
 * The broker's own limit lies far above ours: at its limit it drops a message in silence, and while the dead
 * letters cannot take it ours has to be passed.
 */
const BROKER_DELIVERIES_PER_OURS = 100;

/**
 * Makes the durable consumer if there is none, beginning at the first message of the stream, and brings one
 * that exists to what is declared.
 *
 * One that is further than its stream is made again: the stream was lost or set back, and the consumer would
 * skip what comes until it has caught up.
 *
 * @returns its state; with another `created` it is another consumer, to which old deliveries mean nothing
 * @throws NatsError when the broker is away, or there is no such stream
 */
export async function ensureDurable(
  connection: NatsConnection,
  declaration: DurableDeclaration,
): Promise<ConsumerInfo> {
  const { stream, durable } = declaration;
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const config = configFrom(declaration);
  const info = await consumerInfo(manager, stream, durable);
  if (info === undefined) return manager.consumers.add(stream, config);
  const state = await streamState(connection, stream);
  if (state !== undefined && info.delivered.stream_seq > state.lastSequence) {
    await manager.consumers.delete(stream, durable);
    return manager.consumers.add(stream, config);
  }
  return differs(info.config, config) ? manager.consumers.update(stream, durable, config) : info;
}

async function consumerInfo(
  manager: JetStreamManager,
  stream: string,
  durable: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, durable);
  } catch (failure) {
    if (apiErrorCode(failure) === CONSUMER_NOT_FOUND) return undefined;
    throw failure;
  }
}

function configFrom(declaration: DurableDeclaration): ConsumerConfig {
  const { durable, filterSubjects, ackWaitNs, maxDeliver, maxAckPending } = declaration;
  const [only] = filterSubjects;
  return {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    ack_wait: ackWaitNs,
    max_deliver: maxDeliver * BROKER_DELIVERIES_PER_OURS,
    max_ack_pending: maxAckPending,
    ...(filterSubjects.length === 1 && only !== undefined ? { filter_subject: only } : {}),
    ...(filterSubjects.length > 1 ? { filter_subjects: [...filterSubjects] } : {}),
  };
}

function differs(current: ConsumerConfig, wanted: ConsumerConfig): boolean {
  const fields = ["ack_wait", "max_deliver", "max_ack_pending", "filter_subject", "filter_subjects"] as const;
  return fields.some(
    (field) => JSON.stringify(current[field] ?? null) !== JSON.stringify(wanted[field] ?? null),
  );
}
