import type { IncomingMessage } from "node:http";
import { Fault } from "../fault/fault.ts";
import { createGate } from "../policy/gate.ts";
import { serverPolicy } from "../policy/method-policy.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What the sender of a body is told. */
export interface InboxReply {
  /** The HTTP status: a sender repeats what was answered with 500 or more. */
  readonly status: number;
  /** One line. */
  readonly text: string;
}

/** A place of the admin port that a program of somebody else's posts to, such as a webhook. */
export interface AdminInbox {
  /** The identities that may post. Anyone else gets 403, is counted and is noted for security. */
  readonly from: readonly string[];
  /** The longest body that is read, in bytes. A longer one gets 413. */
  readonly limitBytes: number;
  /** Takes one body, whole. What it throws is answered with 503 and logged. */
  take(body: Buffer): Promise<InboxReply>;
}

/** All inboxes of an admin port. */
export interface AdminInboxes {
  /** Adds inboxes by path; they take bodies from then on. */
  add(inboxes: Readonly<Record<string, AdminInbox>>): void;
  /** What becomes of a POST; undefined where the path is no inbox. */
  receive(
    path: string,
    request: IncomingMessage,
    caller: string | undefined,
  ): Promise<InboxReply | undefined>;
}

/** Bytes of bodies that are held at once; a sender beyond is told to come back. */
const HELD_BYTES = 64 * 1_024 * 1_024;
/** Stands where an RPC's service stands in metrics and logs. */
const ADMIN_PORT = "_admin";

/** No inboxes yet. */
export function createAdminInboxes({ logger, metrics }: { logger: Logger; metrics: Metrics }): AdminInboxes {
  const gate = createGate({ logger, metrics });
  const known = new Map<string, AdminInbox>();
  let heldBytes = 0;

  const take = async (inbox: AdminInbox, request: IncomingMessage, path: string): Promise<InboxReply> => {
    const announced = Number(request.headers["content-length"] ?? inbox.limitBytes);
    if (announced > inbox.limitBytes) return tooLarge(inbox);
    if (heldBytes + announced > HELD_BYTES) return { status: 503, text: "too much at once: come back" };
    heldBytes += announced;
    try {
      const body = await bodyOf(request, inbox.limitBytes);
      return body === undefined ? tooLarge(inbox) : await inbox.take(body);
    } catch (failure) {
      logger.error("a body was not taken", { path, error: failure });
      return { status: 503, text: "not taken: come back" };
    } finally {
      heldBytes -= announced;
    }
  };
  return {
    add: (inboxes) => {
      for (const [path, inbox] of Object.entries(inboxes)) known.set(path, inbox);
    },
    receive: async (path, request, caller) => {
      const inbox = known.get(path);
      if (inbox === undefined) return undefined;
      try {
        gate.admit({ service: ADMIN_PORT, method: path }, serverPolicy(inbox.from), caller);
      } catch (refusal) {
        if (refusal instanceof Fault) return { status: 403, text: "forbidden" };
        throw refusal;
      }
      return take(inbox, request, path);
    },
  };
}

/** Reads a body to its end; undefined as soon as it is over the limit. The connection stays, for the reply. */
async function bodyOf(request: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const incoming: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const part of incoming) {
    bytes += part.length;
    if (bytes > limitBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const tooLarge = ({ limitBytes }: AdminInbox): InboxReply => ({
  status: 413,
  text: `at most ${limitBytes} bytes are taken`,
});
