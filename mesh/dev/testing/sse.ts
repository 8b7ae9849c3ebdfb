import type { Json } from "./json.ts";

/** One frame of a server-sent event stream. */
export interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: Json;
}

/**
 * Reads frames of an event stream until it ends, or until `enough` says so.
 *
 * @param onOpen - called once the server has begun its answer: what happens from now on is in the stream
 * @param enough - called after each frame with all frames so far; true closes the stream
 * @returns the status and the frames; comments are left out
 */
export async function readEvents(
  url: string,
  options: {
    key: string;
    lastEventId?: string;
    withinMs?: number;
    onOpen?: () => void;
    enough?: (frames: readonly Frame[]) => boolean;
  },
): Promise<{ status: number; frames: readonly Frame[] }> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(options.withinMs ?? 30_000),
    headers: {
      authorization: `Bearer ${options.key}`,
      accept: "text/event-stream",
      ...(options.lastEventId === undefined ? {} : { "last-event-id": options.lastEventId }),
    },
  });
  options.onOpen?.();
  const frames: Frame[] = [];
  if (response.status !== 200 || response.body === null) return { status: response.status, frames };
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const frame = parseFrame(text.slice(0, end));
      text = text.slice(end + 2);
      if (frame === undefined) continue;
      frames.push(frame);
      if (options.enough?.(frames)) {
        return { status: 200, frames }; // leaving the loop closes the stream
      }
    }
  }
  return { status: 200, frames };
}

function parseFrame(block: string): Frame | undefined {
  const field = (name: string) =>
    block
      .split("\n")
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ""))
      .join("\n");
  const data = field("data");
  if (data === "" && field("event") === "") return undefined;
  return { id: field("id"), event: field("event"), data: data === "" ? undefined : JSON.parse(data) };
}
