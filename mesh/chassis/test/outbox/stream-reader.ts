import type { NatsConnection } from "nats";

/** A message as the stream stores it. */
export interface StoredMessage {
  readonly subject: string;
  readonly msgId: string;
  readonly headers: Record<string, string | undefined>;
  readonly text: string;
}

/** Everything that a stream holds, in its order. */
export async function storedMessages(connection: NatsConnection, stream: string): Promise<StoredMessage[]> {
  const manager = await connection.jetstreamManager();
  const { messages } = (await manager.streams.info(stream)).state;
  const found: StoredMessage[] = [];
  if (messages === 0) return found;
  const consumer = await connection.jetstream().consumers.get(stream);
  const stored = await consumer.consume({ max_messages: 1_000 });
  for await (const message of stored) {
    const headers = Object.fromEntries([...(message.headers ?? [])].map(([name, [value]]) => [name, value]));
    found.push({
      subject: message.subject,
      msgId: headers["Nats-Msg-Id"] ?? "",
      headers,
      text: message.string(),
    });
    if (message.info.pending === 0) break;
  }
  await stored.close();
  return found;
}
