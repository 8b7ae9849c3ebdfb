/** A media type in lower case, and its charset without quotes. */
export function mediaTypeOf(header: string): { readonly type: string; readonly charset: string | undefined } {
  const [type = "", ...parameters] = header.split(";");
  let charset: string | undefined;
  for (const parameter of parameters) {
    const [name = "", value = ""] = parameter.split("=");
    if (name.trim().toLowerCase() === "charset") charset = value.trim().replaceAll('"', "").toLowerCase();
  }
  return { type: type.trim().toLowerCase(), charset };
}

interface MediaRange {
  readonly type: string;
  /** 0 to 1. */
  readonly quality: number;
}

/** The preferences of an `Accept` header (RFC 9110 section 12.5.1). */
export class Accept {
  readonly #ranges: readonly MediaRange[];

  constructor(header: string | readonly string[] | undefined) {
    const text = typeof header === "string" ? header : (header ?? []).join(",");
    this.#ranges = text === "" ? [] : text.split(",").map(readRange);
  }

  /** How much a media type is wanted, by the range that fits it most closely; 0 when none does. */
  qualityOf(type: string): number {
    const family = `${type.slice(0, type.indexOf("/"))}/*`;
    for (const candidate of [type, family, "*/*"]) {
      const range = this.#ranges.find((each) => each.type === candidate);
      if (range !== undefined) return range.quality;
    }
    return 0;
  }

  /**
   * The one of these types that is named and wanted most; the earlier in the header on a tie; undefined for
   * none.
   */
  bestNamed<Type extends string>(types: readonly Type[]): Type | undefined {
    let best: { readonly type: Type; readonly quality: number } | undefined;
    for (const range of this.#ranges) {
      const type = types.find((each) => each === range.type);
      if (type !== undefined && range.quality > (best?.quality ?? 0)) best = { type, quality: range.quality };
    }
    return best?.type;
  }
}

function readRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";");
  const weight = parameters.map((each) => each.trim().toLowerCase()).find((each) => each.startsWith("q="));
  const quality = weight === undefined ? 1 : Number(weight.slice(2));
  return { type: type.trim().toLowerCase(), quality: Number.isFinite(quality) ? quality : 0 };
}
