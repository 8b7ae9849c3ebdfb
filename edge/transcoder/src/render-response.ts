import { create, type Message, type Registry, toJson } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Route } from "./route.ts";
import type { TranscoderResponse } from "./seam.ts";

type Headers = TranscoderResponse["headers"];

const UTF8 = new TextEncoder();

/** A body that is one chunk, or none. */
export class WholeBody implements AsyncIterable<Uint8Array> {
  readonly #content: Uint8Array | string;

  /** @param content - text is encoded when it is read, so that whoever takes it as text saves that */
  constructor(content: Uint8Array | string) {
    this.#content = content;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    let left = this.#content.length > 0;
    return {
      next: () => {
        if (!left) return Promise.resolve({ done: true, value: undefined });
        left = false;
        const value = typeof this.#content === "string" ? UTF8.encode(this.#content) : this.#content;
        return Promise.resolve({ done: false, value });
      },
    };
  }
}

/** A response whose body is complete, with its length. */
export function wholeResponse(status: number, headers: Headers, bytes: Uint8Array): TranscoderResponse {
  if (status === 204 || status === 304) return { status, headers, body: new WholeBody(new Uint8Array()) };
  return {
    status,
    headers: { ...headers, "content-length": String(bytes.byteLength) },
    body: new WholeBody(bytes),
  };
}

/** A response whose body is complete and text. */
export function textResponse(status: number, headers: Headers, text: string): TranscoderResponse {
  if (status === 204 || status === 304) return wholeResponse(status, headers, new Uint8Array());
  headers["content-length"] = String(Buffer.byteLength(text));
  return { status, headers, body: new WholeBody(text), text };
}

/**
 * Makes the JSON of response messages, or of the field that is their response body. Implicit defaults are
 * written.
 */
export class ResponseRenderer {
  readonly #options: { readonly registry: Registry; readonly alwaysEmitImplicit: true };

  constructor(registry: Registry) {
    this.#options = { registry, alwaysEmitImplicit: true };
  }

  /** @throws Error when the message cannot be JSON: an Any of an unknown type, a Value that is not finite */
  json(route: Route, message: Message): string {
    const { method, responseField } = route;
    if (responseField === undefined) return JSON.stringify(toJson(method.output, message, this.#options));
    const view = reflect(method.output, message);
    if (responseField.fieldKind === "message") {
      if (!view.isSet(responseField) && !hasFieldsOfItsOwn(responseField.message.typeName)) return "null";
      return JSON.stringify(toJson(responseField.message, view.get(responseField).message, this.#options));
    }
    const alone = reflect(method.output, create(method.output));
    alone.set(responseField, view.get(responseField));
    const json = toJson(method.output, alone.message, this.#options);
    const object = typeof json === "object" && json !== null && !Array.isArray(json) ? json : {};
    return JSON.stringify(object[responseField.jsonName] ?? null);
  }
}

/** An ordinary message that is not set is written as `{}`; a well-known type has no such form. */
function hasFieldsOfItsOwn(typeName: string): boolean {
  return !typeName.startsWith("google.protobuf.") || typeName === "google.protobuf.Empty";
}
