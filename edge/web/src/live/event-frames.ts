/** One frame of a server-sent event stream. */
export interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/**
 * Cuts a body into frames. A comment is no frame; a frame without an id has that of the one before.
 *
 * @param heard - told of every piece that comes, comments included: silence means a dead connection
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export async function* framesOf(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<Frame> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = "";
  let id = "";
  let event = "";
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [, name, text = ""] = /^([^:]+)(?:: ?(.*))?$/s.exec(line) ?? [];
        if (name === "id") id = text;
        else if (name === "event") event = text;
        else if (name === "data") data.push(text);
        if (line !== "") continue;
        if (data.length > 0) yield { id, event: event || "message", data: data.join("\n") };
        event = "";
        data = [];
      }
    }
  } finally {
    // Whoever stops reading wants the connection closed, not filled.
    await reader.cancel().catch(() => undefined);
  }
}
