import type { JsMsg } from "nats";
import type { OutMessage, Publisher } from "./publisher.ts";
import { DEAD_LETTERS, ensureStreams } from "./streams.ts";

/** Where a dead letter comes from, and why it is one. */
interface Provenance {
  readonly stream: string;
  readonly durable: string;
  readonly reason: string;
}

const ACK_TIMEOUT_MS = 5_000;
const REASON_LIMIT = 1_000;
const MSG_ID = "Nats-Msg-Id";
const PREFIX = "Orrery-Dead-Letter";

/**
 * Puts a copy of a message into the dead letters: body and headers as they were, and beside them where it
 * was, which consumer gave up, after how many deliveries, and why. With these it can be published to its
 * subject again.
 *
 * @returns nothing when it is stored there, once however often it is asked for; otherwise what stood in the
 * way
 */
export async function buryDeadLetter(
  publisher: Publisher,
  message: JsMsg,
  { stream, durable, reason }: Provenance,
): Promise<string | undefined> {
  const { deliveryCount, streamSequence, timestampNanos } = message.info;
  const headers: Record<string, string> = {};
  for (const [name, [value]] of message.headers ?? []) {
    // The broker's own headers would mean something else on the copy.
    if (value !== undefined && !name.startsWith("Nats-")) headers[name] = value;
  }
  Object.assign(headers, {
    [`${PREFIX}-Subject`]: message.subject,
    [`${PREFIX}-Stream`]: stream,
    [`${PREFIX}-Sequence`]: String(streamSequence),
    [`${PREFIX}-Consumer`]: durable,
    [`${PREFIX}-Deliveries`]: String(deliveryCount),
    [`${PREFIX}-Reason`]: reason.replace(/\s+/g, " ").slice(0, REASON_LIMIT),
    [`${PREFIX}-Message-Id`]: message.headers?.get(MSG_ID) ?? "",
  });
  const letter = {
    subject: `orrery.dead_letters.${stream}.${durable}`,
    // With the time, because a stream that was made again gives the same sequence to another message.
    msgId: `${stream}:${streamSequence}:${timestampNanos}:${durable}`,
    headers,
    data: message.data,
  };
  try {
    const refusal = await publishOne(publisher, letter);
    if (refusal === undefined || !publisher.isConnected()) return refusal;
    // The broker would not make the stream when the consumer asked for it, or has lost it since.
    await ensureStreams(await publisher.connection, [DEAD_LETTERS]);
    return await publishOne(publisher, letter);
  } catch (failure) {
    return failure instanceof Error ? failure.message : "not published";
  }
}

async function publishOne(publisher: Publisher, letter: OutMessage): Promise<string | undefined> {
  const [outcome] = await publisher.publishAll([letter], { ackTimeoutMs: ACK_TIMEOUT_MS });
  return outcome?.status === "failed" ? outcome.reason : undefined;
}
