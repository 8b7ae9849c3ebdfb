import { type DescField, type DescMessage, fromJson } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FIELD_MASK_TYPE, type FieldPath } from "./field-path.ts";
import { type Read, readEnumText, readScalarText } from "./scalar-text.ts";
import { durationFault, timestampFault } from "./well-known-text.ts";

/** A value from the URL and the field it belongs to. */
export interface Assignment {
  readonly path: FieldPath;
  readonly value: unknown;
}

/**
 * Reads the text of a path variable or query parameter as the field's own value, or as one element of a list.
 */
export function readText(field: DescField, text: string): Read<unknown> {
  if (field.scalar !== undefined) return readScalarText(field.scalar, text);
  if (field.enum !== undefined) return readEnumText(field.enum, text);
  if (field.message !== undefined) return readMessageText(field.message, text);
  return { fault: "cannot be given as text" };
}

function readMessageText(desc: DescMessage, text: string): Read<ReflectMessage> {
  const [value] = desc.fields;
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return readJsonText(desc, text, timestampFault(text));
    case "google.protobuf.Duration":
      return readJsonText(desc, text, durationFault(text));
    case FIELD_MASK_TYPE:
      return readFieldMask(desc, text);
    default: {
      if (value?.scalar === undefined) return { fault: "cannot be given as text" };
      const read = readScalarText(value.scalar, text);
      if ("fault" in read) return read;
      const wrapper = reflect(desc);
      wrapper.set(value, read.value);
      return { value: wrapper };
    }
  }
}

function readJsonText(desc: DescMessage, text: string, fault: string | undefined): Read<ReflectMessage> {
  return fault === undefined ? { value: reflect(desc, fromJson(desc, text)) } : { fault };
}

const MASK_PATH = /^(?:\*|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)$/;

/** A mask in a URL may be in either case: `displayName` as in JSON, `display_name` as in the proto. */
function readFieldMask(desc: DescMessage, text: string): Read<ReflectMessage> {
  const [field] = desc.fields;
  const paths = text === "" ? [] : text.split(",");
  if (field === undefined || !paths.every((path) => MASK_PATH.test(path))) {
    return { fault: "expected field paths, separated by commas" };
  }
  const mask = reflect(desc);
  const list = mask.get(field);
  if (typeof list !== "object" || !("add" in list)) return { fault: "cannot be given as text" };
  for (const path of paths) list.add(path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  return { value: mask };
}

/**
 * Writes the values into the message, over what is there; messages on the way are made, lists are appended
 * to.
 */
export function assign(message: ReflectMessage, assignments: readonly Assignment[]): void {
  for (const { path, value } of assignments) {
    let parent = message;
    for (const field of path.fields.slice(0, -1)) parent = childOf(parent, field);
    if (path.last.fieldKind === "list") parent.get(path.last).add(value);
    else parent.set(path.last, value);
  }
}

function childOf(parent: ReflectMessage, field: DescField): ReflectMessage {
  if (field.fieldKind !== "message") throw new Error(`${field.name} is no message`);
  if (!parent.isSet(field)) parent.set(field, reflect(field.message));
  return parent.get(field);
}
