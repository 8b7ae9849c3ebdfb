import type { AdminInbox, InboxReply } from "@orrery/mesh/health/admin-inbox";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { newTraceparent } from "@orrery/mesh/telemetry/trace";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import type { WebhookResult } from "../../application/alert-metrics.ts";
import type { HearNotices } from "../../application/hear-notices.ts";
import { NoticeMalformed, noticesFrom, type Told } from "./notice-wire.ts";

/** Where Alertmanager posts to. */
export const WEBHOOK_PATH = "/webhooks/alertmanager";

const LIMIT_BYTES = 8 * 1_024 * 1_024;

export interface InboxDeps {
  readonly hear: HearNotices["hear"];
  readonly count: (result: WebhookResult) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Alertmanager's webhook. 200 says that everything in it is durable; 503 has Alertmanager send it again, which is
 * harmless; 400 it does not repeat.
 */
export function alertmanagerInbox({ hear, count, clock, logger }: InboxDeps): AdminInbox {
  const read = (body: Buffer): Told | NoticeMalformed => {
    try {
      const frame = { newId: () => uuidV7(clock), traceparent: newTraceparent(), nowMs: clock.nowMs() };
      return noticesFrom(body, frame);
    } catch (failure) {
      if (failure instanceof NoticeMalformed) return failure;
      throw failure;
    }
  };
  return {
    from: ["alertmanager"],
    limitBytes: LIMIT_BYTES,
    take: async (body): Promise<InboxReply> => {
      const told = read(body);
      if (told instanceof NoticeMalformed) {
        count("malformed");
        logger.error("a webhook could not be read", { reason: told.message, bytes: body.length });
        return { status: 400, text: told.message };
      }
      if (told.leftOut > 0)
        logger.error("Alertmanager left alerts out of a webhook", { left_out: told.leftOut });
      try {
        await hear(told.notices);
      } catch (failure) {
        count("failed");
        throw failure;
      }
      count("stored");
      return { status: 200, text: `${told.notices.length} stored` };
    },
  };
}
