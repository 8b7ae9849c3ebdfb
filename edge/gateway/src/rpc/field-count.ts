import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * Whether a message in binary holds more fields than that, those of messages inside it and those that we do
 * not know included. It is found out without decoding: two bytes become an object of some 300.
 *
 * @param bytes - as they came
 * @throws Error for bytes that are no message
 */
export function holdsMoreFields(schema: DescMessage, bytes: Uint8Array, limit: number): boolean {
  const reader = new BinaryReader(bytes);
  return count({ reader, limit }, shapeOf(schema), { end: reader.len, counted: 0 }) > limit;
}

/** Which fields of a message hold messages, by number. The shapes of those are made when they are met. */
type Shape = ReadonlyMap<number, () => Shape>;

function count(
  walk: { readonly reader: BinaryReader; readonly limit: number },
  shape: Shape,
  { end, counted: before }: { end: number; counted: number },
): number {
  const { reader, limit } = walk;
  let counted = before;
  while (reader.pos < end && counted <= limit) {
    const [number, wireType] = reader.tag();
    counted += 1;
    const inside = wireType === WireType.LengthDelimited ? shape.get(number) : undefined;
    if (inside === undefined) reader.skip(wireType, number);
    else counted = count(walk, inside(), { end: reader.uint32() + reader.pos, counted });
  }
  return counted;
}

const shapes = new WeakMap<DescMessage, Shape>();

function shapeOf(schema: DescMessage): Shape {
  const known = shapes.get(schema);
  if (known !== undefined) return known;
  const shape = new Map<number, () => Shape>();
  shapes.set(schema, shape);
  for (const { number, message, fieldKind } of schema.fields) {
    if (message === undefined) continue;
    // An entry of a map is a message with the key as field 1 and the value as field 2.
    shape.set(
      number,
      fieldKind === "map" ? () => new Map([[2, () => shapeOf(message)]]) : () => shapeOf(message),
    );
  }
  return shape;
}
