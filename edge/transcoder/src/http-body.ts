import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Route } from "./route.ts";

/** `google.api.HttpBody`: bytes that pass as they are, with their media type. */
export interface HttpBody {
  readonly contentType: string;
  readonly data: Uint8Array;
}

/** Puts the bytes of a request body into the HttpBody that is the request or its body field. */
export function bodyAsHttpBody(
  { method, bodyTarget }: Route,
  data: Uint8Array,
  contentType: string,
): Message {
  if (bodyTarget.kind !== "field") return httpBodyMessage(method.input, { contentType, data });
  const message = create(method.input);
  const { field } = bodyTarget;
  if (field.fieldKind === "message" && (data.byteLength > 0 || contentType !== "")) {
    reflect(method.input, message).set(
      field,
      reflect(field.message, httpBodyMessage(field.message, { contentType, data })),
    );
  }
  return message;
}

function httpBodyMessage(desc: DescMessage, body: HttpBody): Message {
  return create(desc, { ...body } as Record<string, unknown>);
}

/** The HttpBody that a message is, or that its field is; empty where the field is not set. */
export function httpBodyOf(desc: DescMessage, field: DescField | undefined, message: Message): HttpBody {
  const holder =
    field?.fieldKind === "message" ? reflect(desc, message).get(field).message : (message as Message);
  const { contentType = "", data = new Uint8Array() } = holder as Message & Partial<HttpBody>;
  return { contentType, data };
}
