import type { AdminInbox } from "../health/admin-inbox.ts";
import type { Publisher } from "../messaging/publisher.ts";
import { eventStreamName, forgetDuplicates } from "../messaging/streams.ts";
import type { Pool } from "../postgres/pool.ts";
import type { Logger } from "../telemetry/logger.ts";
import { republish } from "./republish.ts";

/** Where a person at the keyboard asks for it. */
const REPUBLISH_PATH = "/outbox/republish";

const BODY_BYTES = 1_024;

/**
 * Lets the operator have everything published again that the stream's age admits, whatever the broker says that it
 * has. The relay does so by itself where it sees that something was lost; this is for what it cannot see.
 *
 * The broker forgets what it would call a duplicate: of a message that was taken out of the stream by hand, or that a
 * consumer gave up, it would say for two minutes that it has it. So the stream holds what was not lost a second time,
 * under the same `Nats-Msg-Id`, and a reader sees an aggregate's versions begin again. To compare the stream with the
 * outbox first would tell of the former, but never of the latter.
 *
 * Safe at any time: every consumer knows what it has by its version.
 *
 * @param options - `service`: whose outbox it is, and so which stream
 * @returns what the admin port takes
 */
export function republishInbox(options: {
  pool: Pool;
  publisher: Publisher;
  service: string;
  logger: Logger;
}): Readonly<Record<string, AdminInbox>> {
  const { pool, publisher, service, logger } = options;
  return {
    [REPUBLISH_PATH]: {
      from: ["operator"],
      limitBytes: BODY_BYTES,
      async take() {
        if (!publisher.isConnected()) {
          return { status: 503, text: "the broker is away; what it lost is published when it is back" };
        }
        await forgetDuplicates(await publisher.connection, eventStreamName(service));
        const { events } = await republish({ pool });
        logger.warn("the operator has everything published again", { events });
        return { status: 200, text: `${events} events are published again` };
      },
    },
  };
}
