import { bodyTooLarge, malformed } from "./fault.ts";

const NEWLINE = 0x0a;
const WHITESPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

type Bytes = AsyncIterable<Uint8Array>;

/**
 * Cuts a body into its lines, empty ones left out.
 *
 * @param limitBytes - of one line
 * @throws ConnectError 413 for a longer line, 400 for what is not UTF-8
 */
export async function* lines(body: Bytes, limitBytes: number): AsyncGenerator<string> {
  const piece = new Piece(limitBytes);
  for await (const chunk of body) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      piece.add(chunk.subarray(from, end));
      const line = piece.take().trim();
      if (line !== "") yield line;
      from = end + 1;
    }
    piece.add(chunk.subarray(from));
  }
  const line = piece.take().trim();
  if (line !== "") yield line;
}

/**
 * Cuts a JSON array into the texts of its elements; what is inside an element is not looked at. An empty body
 * is an empty array.
 *
 * @param limitBytes - of one element
 * @throws ConnectError 413 for a longer element, 400 for what is no array or not UTF-8
 */
export async function* arrayElements(body: Bytes, limitBytes: number): AsyncGenerator<string> {
  const cutter = new ArrayCutter(limitBytes);
  for await (const chunk of body) yield* cutter.cut(chunk);
  cutter.end();
}

/** Bytes that belong together, across the borders of chunks. */
class Piece {
  readonly #limitBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #size = 0;
  #text = "";

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(bytes: Uint8Array): void {
    this.#size += bytes.byteLength;
    if (this.#size > this.#limitBytes) throw bodyTooLarge(this.#limitBytes);
    this.#text += this.#decode(bytes, true);
  }

  take(): string {
    const text = this.#text + this.#decode(new Uint8Array(), false);
    this.#text = "";
    this.#size = 0;
    return text;
  }

  #decode(bytes: Uint8Array, stream: boolean): string {
    try {
      return this.#decoder.decode(bytes, { stream });
    } catch {
      throw malformed("the body is not UTF-8");
    }
  }
}

/** `element`: inside one; `separator`: after one. */
type Place = "start" | "first" | "element" | "separator" | "next" | "end";

class ArrayCutter {
  readonly #piece: Piece;
  #place: Place = "start";
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(limitBytes: number) {
    this.#piece = new Piece(limitBytes);
  }

  *cut(chunk: Uint8Array): Generator<string> {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.#place === "element") {
        if (!this.#endsElement(byte)) continue;
        this.#piece.add(chunk.subarray(from, at));
        yield this.#piece.take().trim();
        this.#place = byte === 0x5d ? "end" : "next";
      } else if (!WHITESPACE.has(byte) && this.#begins(byte)) {
        this.#place = "element";
        from = at;
        this.#endsElement(byte);
      }
    }
    if (this.#place === "element") this.#piece.add(chunk.subarray(from));
  }

  end(): void {
    if (this.#place !== "end" && this.#place !== "start") throw malformed("the JSON array is not finished");
  }

  /** Follows strings and brackets; true at the comma or bracket behind the element. */
  #endsElement(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === 0x5c) this.#escaped = true;
      else if (byte === 0x22) this.#inString = false;
      return false;
    }
    if (this.#depth === 0 && (byte === 0x2c || byte === 0x5d)) return true;
    if (byte === 0x22) this.#inString = true;
    else if (byte === 0x7b || byte === 0x5b) this.#depth += 1;
    else if (byte === 0x7d || byte === 0x5d) this.#depth -= 1;
    return false;
  }

  /** Takes a byte between elements; true when it begins one. */
  #begins(byte: number): boolean {
    if (this.#place === "start" && byte === 0x5b) this.#place = "first";
    else if (this.#place === "first" && byte === 0x5d) this.#place = "end";
    else if ((this.#place === "first" || this.#place === "next") && byte !== 0x2c && byte !== 0x5d)
      return true;
    else throw malformed("the body has to be a JSON array");
    return false;
  }
}
