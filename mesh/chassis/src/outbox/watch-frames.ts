import type { JsonObject } from "@bufbuild/protobuf";
import type { Call } from "../transport/call.ts";
import type { Watches, WatchFrame } from "./watch.ts";

/** A frame as it is sent, which a browser reads as a server-sent event (HTML, section 9.2). */
export interface SentFrame {
  /** Where to go on from. */
  readonly id: string;
  readonly event: string;
  readonly data: JsonObject;
}

/** What a request to watch says. */
export interface WatchRequest {
  readonly project: string;
  readonly id: string;
  /** The `id` of the last frame that the watcher saw; empty where it saw none. */
  readonly lastEventId: string;
}

/**
 * Sends what is watched, frame by frame: the answer of an RPC that watches.
 *
 * @param options.snapshot - an aggregate as JSON, and its version
 * @throws Fault as `Watches.watch` does
 */
export async function* sendWatch<V>(
  watches: Watches<V>,
  { project, id, lastEventId }: WatchRequest,
  options: {
    readonly call: Pick<Call, "accept" | "signal">;
    readonly snapshot: (view: V) => { readonly version: number; readonly data: JsonObject };
  },
): AsyncGenerator<SentFrame, void> {
  const { call, snapshot } = options;
  const lastVersion = lastEventId === "" ? undefined : versionFrom(lastEventId);
  for await (const frame of watches.watch({ project, id, lastVersion }, call)) yield sent(frame, snapshot);
}

/** What is no version of ours is read as 0, which no aggregate has. */
const versionFrom = (eventId: string): number => (/^[1-9][0-9]{0,8}$/.test(eventId) ? Number(eventId) : 0);

function sent<V>(
  frame: WatchFrame<V>,
  snapshot: (view: V) => { readonly version: number; readonly data: JsonObject },
): SentFrame {
  switch (frame.kind) {
    case "snapshot": {
      const { version, data } = snapshot(frame.view);
      return { id: String(version), event: "snapshot", data };
    }
    case "event": {
      const data = JSON.parse(frame.event.envelope) as JsonObject;
      return { id: String(frame.event.version), event: frame.event.name, data };
    }
    case "reset":
      return { id: String(frame.version), event: "reset", data: {} };
  }
}
